"""A spectral test for clouds, cirrus, snow and shadow on reflectances at the top of the atmosphere.

It looks at one pixel at a time and knows neither height nor season. Bright roofs and sand are now and then
taken for cloud, dark forest and shadowed water for shadow.

Source
------
Hollstein, Segl, Guanter, Brell and Enesco (2016), *Ready-to-Use Methods for the Detection of Clouds, Cirrus,
Snow, Shadow, Water and Clear Sky Pixels in Sentinel-2 MSI Images*, Remote Sensing 8(8), 666,
doi:10.3390/rs8080666, figure 8. All thresholds are the authors' own; the tree classified 91 % of their
spectra rightly.
"""

from typing import Final

import numpy as np
import numpy.typing as npt
from swath.processing import Input, Output, step

from swath_sentinel2.toa._bands import BandName

__all__ = ["CIRRUS", "CLEAR", "CLOUD", "NOT_TESTED", "SHADOW", "SNOW", "TEST_BANDS", "WATER", "cloud_test"]

Array = npt.NDArray[np.float32]

NOT_TESTED: Final = np.uint8(0)
CLEAR: Final = np.uint8(1)
WATER: Final = np.uint8(2)
SHADOW: Final = np.uint8(3)
CIRRUS: Final = np.uint8(4)
CLOUD: Final = np.uint8(5)
SNOW: Final = np.uint8(6)

TEST_BANDS: tuple[BandName, ...] = (
    "b01", "b02", "b03", "b05", "b06", "b07", "b8a", "b09", "b10", "b11",
)  # fmt: skip
"""The bands that the tree looks at."""


@step(
    inputs=[Input(band, units="1") for band in TEST_BANDS],
    outputs=[Output("spectral_class", "uint8", description="class of the spectral test")],
    memory=0.25,  # measured: two arrays of single precision, a fifth of its inputs
)
def cloud_test(  # noqa: PLR0917 - the bands of the tree; steps are called by keyword
    b01: Array, b02: Array, b03: Array, b05: Array, b06: Array, b07: Array, b8a: Array, b09: Array,
    b10: Array, b11: Array,
) -> npt.NDArray[np.uint8]:  # fmt: skip
    """Class each pixel by the decision tree of Hollstein et al. (2016), figure 8.

    Returns
    -------
    numpy.ndarray
        uint8: 0 not tested (a band is NaN), 1 clear, 2 water, 3 shadow, 4 cirrus, 5 cloud, 6 snow or ice.
    """
    # The figure's ratios, multiplied out: where noise makes a band of almost nothing negative (there is an
    # offset since baseline 04.00), a ratio jumps from far above the threshold to below it.
    with np.errstate(invalid="ignore"):
        dark = np.where(
            b8a < 0.166,
            np.where(
                b03 - b07 < 0.027,
                np.where(b09 - b11 < -0.097, CLEAR, SHADOW),
                np.where(b09 - b11 < 0.021, WATER, SHADOW),
            ),
            np.where((b02 < 14.689 * b10) & ~(b02 < 0.788 * b09), CIRRUS, CLEAR),
        )
        bright = np.where(
            b05 < 4.33 * b11,
            np.where(
                b11 - b10 < 0.255,
                np.where(b06 - b07 < -0.016, CLOUD, CIRRUS),
                np.where(b01 < 0.3, CLEAR, CLOUD),
            ),
            np.where(b03 < 0.525, np.where(b01 < 1.184 * b05, CLEAR, SHADOW), SNOW),
        )
        classes = np.where(b03 < 0.319, dark, bright)
        tested = np.isfinite(b01 + b02 + b03 + b05 + b06 + b07 + b8a + b09 + b10 + b11)
    return np.where(tested, classes, NOT_TESTED)
