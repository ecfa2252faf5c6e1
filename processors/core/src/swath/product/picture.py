"""Quick looks of products: which images are shown, and which way up.

Images are shown in the geometry that they have. Those of a swath (OLCI, SLSTR, SYN) are turned, not warped:
rows are reversed where the product was flown northwards, columns where they run westwards, so that north is
near the top and east near the right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from swath.errors import InputError
from swath.io.commit import new_file
from swath.product._write import computing

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    import numpy.typing as npt
    import xarray as xr

__all__ = ["SHOWN", "Shown", "write_picture"]

_PNG = (b"\x89PNG\r\n\x1a\n",)


@dataclass(frozen=True, slots=True)
class Shown:
    """What a picture shows."""

    images: tuple[str, ...]
    """Paths of one variable (grey), or of three: red, green and blue."""
    what: str
    weights: tuple[float, ...] = ()
    """What each image is divided by, so that what is grey looks grey; empty for images that need none."""
    inverted: bool = False
    """Whether what is least is white: clouds are cold."""


_SLSTR = (248.0, 956.0, 1526.0)
"""Solar irradiance of the bands S5, S3 and S2, mW m⁻² nm⁻¹ (the mission's nominal values)."""

SHOWN: dict[str, tuple[Shown, ...]] = {
    "S03OLC1": (
        Shown(tuple(f"measurements/oa{k:02}_radiance" for k in (8, 6, 4)), "true colour: 665, 560, 490 nm"),
    ),
    "S03OLC2": (
        Shown(
            ("measurements/rc681", "measurements/rc865", "measurements/rc681"),
            "false colour: rectified reflectance at 681, 865, 681 nm (green is vegetation)",
        ),
        Shown(("measurements/gifapar",), "grey: green instantaneous FAPAR"),
    ),
    "S03SLSRBT": (
        Shown(
            tuple(f"measurements/anadir/s{k}_radiance_an" for k in (5, 3, 2)),
            "false colour, nadir, 500 m: 1610, 868, 659 nm (green is vegetation, cyan snow and ice)",
            _SLSTR,
        ),
        Shown(("measurements/inadir/s8_bt_in",), "grey, nadir, 1 km: 10.85 µm, cold is white", inverted=True),
    ),
    "S03SLSLST": (Shown(("measurements/lst",), "grey: land surface temperature, warm is white"),),
    "S03SYNSDR": (
        Shown(
            tuple(f"measurements/olci/sdr_oa{k:02}" for k in (8, 6, 4)),
            "true colour: surface reflectance at 665, 560, 490 nm",
        ),
    ),
    "S02MSI": (
        Shown(tuple(f"measurements/reflectance/r10m/b{k:02}" for k in (4, 3, 2)), "true colour, 10 m"),
        Shown(tuple(f"measurements/reflectance/r20m/b{k:02}" for k in (4, 3, 2)), "true colour, 20 m"),
    ),
}
"""Start of the type of a product → what is shown: the first of which all images are there, with numbers."""

_ALIASES = {
    "S03OLCEFR": "S03OLC1", "S03OLCERR": "S03OLC1", "S03OLCLFR": "S03OLC2", "S03OLCLRR": "S03OLC2",
}  # fmt: skip


def write_picture(
    product: xr.DataTree,
    destination: str | os.PathLike[str],
    *,
    images: Sequence[str] = (),
    largest: int = 1024,
    overwrite: bool = False,
) -> Shown:
    """Write a picture of a product (PNG with transparency where nothing was measured); it appears complete.

    Parameters
    ----------
    product
        A product, as :func:`swath.open_product` returns it, or a part of one.
    destination
        Path of the PNG file.
    images
        Paths of one image to show in grey, or of three on one grid for red, green and blue. Without them,
        ``swath.product.picture.SHOWN`` says what products of its type show.
    largest
        Longest side of the picture, pixels.
    overwrite
        Replace a PNG file of that name.

    Returns
    -------
    Shown
        What the picture shows.

    Raises
    ------
    InputError
        There is nothing to choose from, or the images are not there, are no images, or have several grids.
    DestinationError
        The destination exists, or cannot be one.
    RunError
        A chunk could not be decoded.
    WriteError
        The system refused to write; nothing is left.
    """
    from swath.product.quicklook import write_quicklook  # noqa: PLC0415 -- it imports GDAL

    with new_file(destination, _PNG, overwrite=overwrite) as partial, computing():
        chosen = Shown(tuple(images), ", ".join(images)) if images else _chosen(product)
        arrays = [_image(product, path) for path in chosen.images]
        shapes = {array.shape for array in arrays}
        if len(arrays) not in (1, 3) or len(shapes) != 1:
            told = ", ".join(f"{path} {a.shape}" for path, a in zip(chosen.images, arrays, strict=True))
            raise InputError(f"a picture needs one image or three of one size, and got {told}")
        rows, columns = _directions(product, chosen.images[0])
        sign = -1 if chosen.inverted else 1
        factors = [sign / weight for weight in chosen.weights or [1.0] * len(arrays)]
        turned = [
            _Pixels(array[::rows, ::columns], factor) for array, factor in zip(arrays, factors, strict=True)
        ]
        write_quicklook(turned, partial, largest=largest)
    return chosen


class _Pixels:
    """An image that is computed block by block as it is sliced."""

    def __init__(self, array: xr.DataArray, factor: float) -> None:
        self._array = array
        self._factor = np.float32(factor)
        self.shape: tuple[int, ...] = array.shape
        self.dtype = np.dtype(np.float32)
        self.chunks = None if array.chunks is None else tuple(int(sides[0]) for sides in array.chunks)

    def __getitem__(self, key: Any) -> npt.NDArray[np.float32]:
        return self._factor * np.asarray(self._array[key].values, np.float32)


def _chosen(product: xr.DataTree) -> Shown:
    """Return the first of what is shown of such a product that is there and has numbers."""
    kind = str(product.attrs.get("stac_discovery", {}).get("properties", {}).get("product:type", ""))
    known = _ALIASES.get(kind, kind)
    options = next((shown for start, shown in SHOWN.items() if known.startswith(start)), ())
    there = [option for option in options if all(_has(product, path) for path in option.images)]
    for option in there[:-1]:
        if bool(_image(product, option.images[0])[::16, ::16].notnull().any()):
            return option
    if there:
        return there[-1]
    wanted = " or ".join(", ".join(option.images) for option in options)
    expected = f"expected {wanted}" if wanted else "none is chosen for it"
    raise InputError(
        f"nothing to show of a product of type {kind or 'unknown'}: {expected}; name one image or three"
    )


def _has(product: xr.DataTree, path: str) -> bool:
    group, _, name = path.strip("/").rpartition("/")
    node = {node.path.strip("/"): node for node in product.subtree}.get(group)
    return node is not None and name in node.data_vars


def _image(product: xr.DataTree, path: str) -> xr.DataArray:
    if not _has(product, path):
        raise InputError(f"no image {path} to show; `swath ls` lists what the product has")
    group, _, name = path.strip("/").rpartition("/")
    array = product["/" + group].to_dataset()[name]
    if array.ndim != 2 or array.dtype.kind not in "iufb":
        raise InputError(
            f"{path} is no image: it has the dimensions {', '.join(map(str, array.dims))} and the type "
            f"{array.dtype}; choose rows and columns of real numbers"
        )
    return array


def _directions(product: xr.DataTree, path: str) -> tuple[int, int]:
    """Return -1 for rows that run northwards and for columns that run westwards, else 1."""
    image = product[path.strip("/")]
    group = product["/" + path.strip("/").rpartition("/")[0]].to_dataset()
    for where in (group, _ties(product)):
        if where is None or not {"latitude", "longitude"} <= set(where.variables):
            continue
        latitude, longitude = where["latitude"], where["longitude"]
        if latitude.ndim != 2 or (where is group and latitude.dims != image.dims):
            continue
        step = tuple(max(1, n // 8) for n in latitude.shape)
        south = np.asarray(latitude[:: step[0], :: step[1]].values, np.float64)
        east = np.asarray(longitude[:: step[0], :: step[1]].values, np.float64)
        return _sign(-_steps(south, 0)), _sign(_steps(east, 1, circle=360.0))
    return 1, 1


def _ties(product: xr.DataTree) -> xr.Dataset | None:
    node = {node.path: node for node in product.subtree}.get("/conditions/geometry")
    return None if node is None else node.to_dataset()


def _steps(values: npt.NDArray[np.float64], axis: int, circle: float = 0.0) -> float:
    """Return the usual step along an axis; across the antimeridian it is as small as elsewhere."""
    steps = np.diff(values, axis=axis)
    if circle:
        steps = (steps + circle / 2) % circle - circle / 2
    known = steps[np.isfinite(steps)]
    return float(np.median(known)) if known.size else 0.0


def _sign(step: float) -> int:
    return -1 if step < 0 else 1
