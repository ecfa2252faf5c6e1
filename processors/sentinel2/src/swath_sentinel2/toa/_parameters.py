"""Parameters of ``s2-toa``."""

from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, field_validator
from swath.processing import Parameters

from swath_sentinel2.toa._bands import BandName, Resolution
from swath_sentinel2.toa._indices import IndexName

__all__ = ["ToaParameters"]


def _metres(value: Any) -> Any:
    """Take 10, "10" and the name of the group, "r10m", for the same."""
    if isinstance(value, str):
        text = value.strip().lower().removeprefix("r").removesuffix("m")
        return int(text) if text.isdecimal() else value
    return value


def _list(value: Any) -> Any:
    """Take a text with commas for a list, as it comes from a command line."""
    if isinstance(value, str):
        return [part.strip().lower() for part in value.split(",") if part.strip()]
    return value


class ToaParameters(Parameters):
    """Parameters of ``s2-toa``."""

    resolution: Annotated[Resolution, BeforeValidator(_metres)] = Field(
        default=20, description="Grid of the result, by its nominal pixel size in metres: 10, 20 or 60."
    )
    bands: Annotated[tuple[BandName, ...], BeforeValidator(_list)] = Field(
        default=get_args(BandName), description="Bands whose reflectance is written; may be none."
    )
    indices: Annotated[tuple[IndexName, ...], BeforeValidator(_list)] = Field(
        default=("ndvi", "ndwi", "ndmi", "ndsi"), description="Spectral indices to write; may be none."
    )
    upsampling: Literal["nearest", "bilinear"] = Field(
        default="nearest",
        description="How bands of larger pixels get to the grid. Bands of smaller pixels are averaged.",
    )
    cloud_test: Literal["hollstein2016", "none"] = Field(
        default="hollstein2016",
        description="Spectral test for cloud, cirrus, snow and shadow; none leaves the product's own masks.",
    )
    cloud_buffer: float = Field(
        default=120.0, ge=0, le=2000, allow_inf_nan=False,
        description="Distance around cloud and cirrus that is flagged cloud_buffer, metres.",
    )  # fmt: skip

    @field_validator("bands", "indices")
    @classmethod
    def _once(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(value)) < len(value):
            raise ValueError("each name may be there once only")
        return value
