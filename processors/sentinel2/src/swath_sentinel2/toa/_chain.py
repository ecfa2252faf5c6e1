"""The chain of ``s2-toa``: from the parameters to sources, steps and outputs."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from swath.processing import (
    Chain,
    Input,
    Output,
    Processor,
    Quicklook,
    Resampling,
    Source,
    Step,
    step,
)

from swath_sentinel2.toa._bands import BANDS, BandName, group
from swath_sentinel2.toa._clouds import TEST_BANDS, cloud_test
from swath_sentinel2.toa._indices import INDICES
from swath_sentinel2.toa._mask import TINTS, clouds_step, mask, quality_step
from swath_sentinel2.toa._parameters import ToaParameters

__all__ = ["TOA", "chain"]

_STORED = {"dtype": "float32", "_FillValue": np.nan}
"""Single precision holds every count of 16 bits and tells it from the next; averages need no rounding."""


@step(
    inputs=[Input("level1", units="1")], outputs=[Output("band", units="1")], name="reflectance", memory=0.0
)
def reflectance(level1: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Hand the level-1C reflectance on: it is corrected for the sun's zenith and distance already."""
    return level1


@step(
    inputs=[Input("classification", "uint8")],
    outputs=[Output("spectral_class", "uint8")],
    name="no_cloud_test",
)
def no_cloud_test(classification: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Stand in for the spectral test where none is wanted: no pixel is tested."""
    return np.zeros_like(classification)


def chain(parameters: ToaParameters) -> Chain:
    """Return the chain for some parameters; only what the outputs need is read."""
    target = group(parameters.resolution)
    tested = TEST_BANDS if parameters.cloud_test == "hollstein2016" else ()
    of_indices = {band for name in parameters.indices for band in INDICES[name].bands.values()}
    judged = _ordered({*parameters.bands, *of_indices}) or ("b02",)
    read = _ordered({*judged, *tested})

    sources = {f"{band}_level1": _source(band, parameters) for band in read}
    sources |= {f"{band}_quality": _quality(band) for band in judged}
    sources["classification"] = Source("/conditions/mask/l1c_classification/r60m/b00", "any", optional=True)
    steps: list[Step] = [_reflectance(band) for band in read]
    steps.append(quality_step(judged))
    steps.append(cloud_test if tested else no_cloud_test)
    steps.append(clouds_step(int(parameters.cloud_buffer // parameters.resolution)))
    steps.append(mask)
    steps += [_stored(INDICES[name].step(), name) for name in parameters.indices]

    outputs: dict[str, str] = {}
    outputs.update({band: f"/measurements/reflectance/{target}/{band}" for band in parameters.bands})
    outputs.update({name: f"/measurements/indices/{target}/{name}" for name in parameters.indices})
    outputs["mask"] = f"/quality/mask/{target}/mask"
    return Chain(
        grid=f"/measurements/reflectance/{target}",
        sources=sources,
        steps=steps,
        outputs=outputs,
        quicklook=Quicklook(_shown(parameters), flags="mask", tints=TINTS),
    )


def _ordered(bands: Iterable[BandName]) -> tuple[BandName, ...]:
    chosen = set(bands)
    return tuple(band for band in BANDS if band in chosen)


def _source(band: BandName, parameters: ToaParameters) -> Source:
    own = BANDS[band].resolution
    method: Resampling = parameters.upsampling if own > parameters.resolution else "mean"
    return Source(f"/measurements/reflectance/{group(own)}/{band}", method)


def _quality(band: BandName) -> Source:
    """Return a band's quality mask: a flag of any of its pixels is one of the pixel that covers them."""
    return Source(f"/quality/mask/{group(BANDS[band].resolution)}/{band}", "any", optional=True)


def _reflectance(band: BandName) -> Step:
    told = BANDS[band]
    attrs: dict[str, Any] = {
        "standard_name": "toa_bidirectional_reflectance",
        "eo:common_name": told.common_name,
        "eo:center_wavelength": told.wavelength,
        "eo:full_width_half_max": told.width,
    }
    made = reflectance.rename(level1=f"{band}_level1", band=band)
    description = (
        f"reflectance at the top of the atmosphere, band {band.upper()}, {told.wavelength * 1000:.0f} nm"
    )
    return _stored(made.describe(**{band: {"description": description, "attrs": attrs}}), band)


def _stored(made: Step, name: str) -> Step:
    return made.describe(**{name: {"encoding": _STORED}})


def _shown(parameters: ToaParameters) -> tuple[str, ...]:
    """Return the bands of the true-colour picture, or the first output in grey where one is not there."""
    true_colour = ("b04", "b03", "b02")
    if set(true_colour) <= set(parameters.bands):
        return true_colour
    return (*parameters.indices, *parameters.bands, "mask")[:1]


TOA = Processor(
    name="s2-toa",
    version="0.1.0",
    title="Sentinel-2 level-1C: reflectances at the top of the atmosphere on one grid, mask and indices",
    chain=chain,
    parameters=ToaParameters,
)
"""The processor ``s2-toa``."""
