"""Reflectance of surfaces and clouds in the thirteen bands, as seen at the top of the atmosphere.

The numbers are typical values chosen for this simulator, in the order of magnitude and with the spectral
shape that is known of each surface (water dark beyond the red, vegetation's red edge, snow dark in the
short-wave infrared, little but high clouds at 1375 nm). They are measured nowhere and must not be taken for
measurements.

A surface of reflectance r is seen as ``path + transmittance * r``: light scattered by the air below the
sensor, and what the air lets through on its way down and up. Multiple reflections between ground and air
are left out.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Surface(IntEnum):
    """What covers the ground."""

    LAKE = 0
    RIVER = 1
    BROADLEAF = 2
    CONIFER = 3
    MEADOW = 4
    GREEN_CROP = 5
    RIPE_CROP = 6
    DARK_SOIL = 7
    BRIGHT_SOIL = 8
    ROOF = 9
    ASPHALT = 10
    ROCK = 11
    SNOW = 12


# One column a band, B01 to B12 with B8A after B08.
_PATH = (0.105, 0.074, 0.044, 0.024, 0.020, 0.016, 0.013, 0.011, 0.010, 0.005, 0.0008, 0.003, 0.001)
_TRANSMITTANCE = (0.80, 0.84, 0.87, 0.91, 0.91, 0.92, 0.94, 0.93, 0.95, 0.38, 0.003, 0.93, 0.90)
_GROUND = {
    Surface.LAKE: (0.022, 0.024, 0.026, 0.014, 0.010, 0.007, 0.006, 0.005, 0.004, 0.004, 0.003, 0.002, 0.001),
    Surface.RIVER: (
        0.036,
        0.046,
        0.070,
        0.056,
        0.048,
        0.026,
        0.024,
        0.020,
        0.018,
        0.016,
        0.010,
        0.008,
        0.005,
    ),
    Surface.BROADLEAF: (
        0.016,
        0.020,
        0.044,
        0.026,
        0.072,
        0.240,
        0.330,
        0.345,
        0.365,
        0.360,
        0.250,
        0.170,
        0.076,
    ),
    Surface.CONIFER: (
        0.012,
        0.015,
        0.027,
        0.019,
        0.046,
        0.135,
        0.175,
        0.185,
        0.195,
        0.195,
        0.140,
        0.090,
        0.042,
    ),
    Surface.MEADOW: (
        0.026,
        0.034,
        0.066,
        0.050,
        0.108,
        0.265,
        0.330,
        0.350,
        0.370,
        0.375,
        0.300,
        0.225,
        0.120,
    ),
    Surface.GREEN_CROP: (
        0.022,
        0.028,
        0.060,
        0.032,
        0.095,
        0.330,
        0.445,
        0.460,
        0.490,
        0.480,
        0.330,
        0.200,
        0.090,
    ),
    Surface.RIPE_CROP: (
        0.058,
        0.080,
        0.122,
        0.165,
        0.200,
        0.245,
        0.275,
        0.295,
        0.315,
        0.330,
        0.360,
        0.370,
        0.250,
    ),
    Surface.DARK_SOIL: (
        0.040,
        0.052,
        0.076,
        0.102,
        0.118,
        0.132,
        0.145,
        0.160,
        0.170,
        0.180,
        0.215,
        0.250,
        0.205,
    ),
    Surface.BRIGHT_SOIL: (
        0.082,
        0.108,
        0.155,
        0.208,
        0.232,
        0.250,
        0.268,
        0.290,
        0.300,
        0.310,
        0.370,
        0.410,
        0.350,
    ),
    Surface.ROOF: (0.105, 0.128, 0.158, 0.192, 0.204, 0.216, 0.226, 0.238, 0.246, 0.250, 0.265, 0.272, 0.248),
    Surface.ASPHALT: (
        0.070,
        0.078,
        0.088,
        0.096,
        0.102,
        0.110,
        0.116,
        0.124,
        0.128,
        0.132,
        0.142,
        0.150,
        0.138,
    ),
    Surface.ROCK: (0.112, 0.134, 0.162, 0.186, 0.198, 0.210, 0.220, 0.232, 0.240, 0.245, 0.265, 0.280, 0.245),
    Surface.SNOW: (0.900, 0.910, 0.900, 0.890, 0.870, 0.840, 0.820, 0.790, 0.770, 0.640, 0.250, 0.110, 0.080),
}

PATH: NDArray[np.float32] = np.array(_PATH, np.float32)
"""Reflectance of the air alone, by ``bandId``."""

GROUND: NDArray[np.float32] = np.array([_TRANSMITTANCE], np.float32) * np.array(
    [_GROUND[surface] for surface in Surface], np.float32
)
"""Reflectance of each surface through the air, without the air's own: ``(surface, bandId)``."""

CLOUD: NDArray[np.float32] = np.array(
    (0.740, 0.725, 0.715, 0.720, 0.725, 0.735, 0.740, 0.735, 0.745, 0.420, 0.012, 0.460, 0.330), np.float32
)
"""Reflectance of a thick low cloud at the top of the atmosphere, by ``bandId``."""

CIRRUS: NDArray[np.float32] = np.array(
    (0.048, 0.048, 0.048, 0.049, 0.049, 0.050, 0.050, 0.050, 0.050, 0.044, 0.038, 0.036, 0.024), np.float32
)
"""Reflectance that the thickest cirrus adds, by ``bandId``."""

SHADOW: NDArray[np.float32] = np.array(
    (0.62, 0.56, 0.48, 0.43, 0.41, 0.40, 0.39, 0.38, 0.38, 0.38, 0.38, 0.36, 0.35), np.float32
)
"""Share of its light that the ground keeps in the darkest cloud shadow, by ``bandId``."""
