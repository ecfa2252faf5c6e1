"""What the product's metadata tells of counts: scales, offsets, classes, gains, spectral responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from swath.product.sentinel2._bands import BANDS

if TYPE_CHECKING:
    from swath.product._fields import Fields
    from swath.product.sentinel2._files import Level

__all__ = ["Spectrum", "atmosphere", "by_band", "classes", "offsets", "quantification", "spectra"]


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A band's spectral response, in nanometres."""

    central: float
    low: float
    high: float
    step: float
    response: npt.NDArray[np.float64]
    """Response at ``low``, ``low + step`` … ``high``; 1 at the peak."""

    @property
    def width(self) -> float:
        """Full width at half maximum, in nanometres, the response's flanks interpolated linearly."""
        wave = self.low + self.step * np.arange(len(self.response))
        half = self.response.max() / 2
        above = np.flatnonzero(self.response >= half)
        first, last = above[0], above[-1]
        left, right = wave[first], wave[last]
        if first > 0:
            left = np.interp(half, self.response[[first - 1, first]], wave[[first - 1, first]])
        if last < len(wave) - 1:
            right = np.interp(-half, -self.response[[last, last + 1]], wave[[last, last + 1]])
        return round(float(right - left), 3)


def quantification(fields: Fields, level: Level) -> float:
    """Return the counts for a reflectance of 1."""
    names: tuple[str, ...] = ("QUANTIFICATION_VALUE",)
    if level == "L2A":
        names = ("BOA_QUANTIFICATION_VALUE", "L2A_BOA_QUANTIFICATION_VALUE")
    found = next((name for name in names if fields.find(name)), names[0])
    return fields.number(found, low=1, high=1e6)


def atmosphere(fields: Fields) -> dict[str, float]:
    """Return the counts for an optical thickness of 1 and for 1 cm of water vapour."""
    found = {}
    for kind in ("AOT", "WVP"):
        names = (f"{kind}_QUANTIFICATION_VALUE", f"L2A_{kind}_QUANTIFICATION_VALUE")
        name = next((name for name in names if fields.find(name)), names[0])
        found[kind.lower()] = fields.number(name, low=1, high=1e6)
    return found


def classes(fields: Fields) -> tuple[tuple[int, str], ...]:
    """Return the values of the scene classification and their names, without the prefix that all have."""
    found = []
    for prefix in ("", "L2A_"):
        for entry in fields.all(f"{prefix}Scene_Classification_ID"):
            name = entry.text(f"{prefix}SCENE_CLASSIFICATION_TEXT").removeprefix("SC_")
            value = entry.whole(f"{prefix}SCENE_CLASSIFICATION_INDEX", low=0, high=255)
            found.append((value, name.replace(" ", "_")))
    return tuple(sorted(found))


def by_band(fields: Fields, path: str, *, low: float, high: float) -> dict[str, float]:
    """Return a number of each band, by its name."""
    return {
        BANDS[f.attribute("bandId", high=12)].name: f.number(low=low, high=high) for f in fields.all(path)
    }


def offsets(fields: Fields, name: str) -> dict[str, float]:
    """Return each band's offset; products before baseline 04.00 have none."""
    found = fields.all(name)
    offsets = {BANDS[f.attribute("band_id", high=12)].name: f.number(low=-32768, high=32767) for f in found}
    if found and len(offsets) != len(BANDS):
        raise fields.error(f"{name} for {len(offsets)} bands, expected all {len(BANDS)}")
    return {band.name: offsets.get(band.name, 0.0) for band in BANDS}


def spectra(fields: Fields) -> dict[str, Spectrum]:
    """Return the spectral response of each band, by its name."""
    spectra = {}
    for found in fields.all("Spectral_Information"):
        response = _response(found)
        spectra[BANDS[found.attribute("bandId", high=12)].name] = Spectrum(
            central=found.number("Wavelength/CENTRAL", low=300, high=3000),
            low=found.number("Wavelength/MIN", low=300, high=3000),
            high=found.number("Wavelength/MAX", low=300, high=3000),
            step=found.number("Spectral_Response/STEP", low=0.01, high=100),
            response=response,
        )
    return spectra


def _response(fields: Fields) -> npt.NDArray[np.float64]:
    try:
        response = np.array(fields.text("Spectral_Response/VALUES").split(), np.float64)
    except ValueError:
        raise fields.error("Spectral_Response/VALUES are no numbers") from None
    if not np.isfinite(response).all() or response.max() <= 0:
        raise fields.error("Spectral_Response/VALUES have none above 0, or some that are not finite")
    return response
