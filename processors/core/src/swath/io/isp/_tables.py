"""Tables that turn the codes of compressed samples into amplitudes.

Source: S1-IF-ASD-PL-0007, issue 13: section 4.4 (Huffman codes), tables 5.2-1 (simple reconstruction), 5.2-2
(normalised reconstruction levels) and 5.2-3 (sigma factors).
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

__all__ = ["HUFFMAN", "baq_values", "bypass_values", "fdbaq_values"]

HUFFMAN = (
    ("0", "10", "110", "111"),
    ("0", "10", "110", "1110", "1111"),
    ("0", "10", "110", "1110", "11110", "111110", "111111"),
    ("00", "01", "10", "110", "1110", "11110", "111110", "1111110", "11111110", "11111111"),
    ("00", "010", "011", "100", "101", "1100", "1101", "1110", "11110", "111110", "11111100", "11111101",
     "111111100", "111111101", "111111110", "111111111"),
)  # fmt: skip
"""Code of each magnitude, by bit rate code (BRC) 0 to 4; a sign bit goes before it (1 = negative)."""

_BAQ_SIMPLE = {
    3: (3.0, 3.0, 3.12, 3.55),
    4: (7.0, 7.0, 7.0, 7.17, 7.4, 7.76),
    5: (15.0, 15.0, 15.0, 15.0, 15.0, 15.0, 15.44, 15.56, 16.11, 16.38, 16.65),
}
"""Amplitude of the highest code, by bits and threshold index."""

_FDBAQ_SIMPLE = (
    (3.0, 3.0, 3.16, 3.53),
    (4.0, 4.0, 4.08, 4.37),
    (6.0, 6.0, 6.0, 6.15, 6.5, 6.88),
    (9.0, 9.0, 9.0, 9.0, 9.36, 9.5, 10.1),
    (15.0, 15.0, 15.0, 15.0, 15.0, 15.0, 15.22, 15.5, 16.05),
)
"""Amplitude of the highest code, by BRC and threshold index."""

_BAQ_LEVELS = {
    3: (0.249, 0.7681, 1.3655, 2.1864),
    4: (0.129, 0.39, 0.6601, 0.9471, 1.2623, 1.6261, 2.0793, 2.7467),
    5: (0.066, 0.1985, 0.332, 0.4677, 0.6061, 0.7487, 0.8964, 1.051,
        1.2143, 1.3896, 1.58, 1.7914, 2.0329, 2.3234, 2.6971, 3.2692),
}  # fmt: skip

_FDBAQ_LEVELS = (
    (0.3637, 1.0915, 1.8208, 2.6406),
    (0.3042, 0.9127, 1.5216, 2.1313, 2.8426),
    (0.2305, 0.6916, 1.1528, 1.614, 2.0754, 2.5369, 3.1191),
    (0.1702, 0.5107, 0.8511, 1.1916, 1.5321, 1.8726, 2.2131, 2.5536, 2.8942, 3.3744),
    (0.113, 0.3389, 0.5649, 0.7908, 1.0167, 1.2428, 1.4687, 1.6947,
     1.9206, 2.1466, 2.3725, 2.5985, 2.8244, 3.0504, 3.2764, 3.6623),
)  # fmt: skip

_SIGMA_FACTORS = (
    0.0, 0.63, 1.25, 1.88, 2.51, 3.13, 3.76, 4.39, 5.01, 5.64, 6.27, 6.89, 7.52, 8.15, 8.77, 9.4, 10.03,
    10.65, 11.28, 11.91, 12.53, 13.16, 13.79, 14.41, 15.04, 15.67, 16.29, 16.92, 17.55, 18.17, 18.8,
    19.43, 20.05, 20.68, 21.31, 21.93, 22.56, 23.19, 23.81, 24.44, 25.07, 25.69, 26.32, 26.95, 27.57,
    28.2, 28.83, 29.45, 30.08, 30.71, 31.33, 31.96, 32.59, 33.21, 33.84, 34.47, 35.09, 35.72, 36.35,
    36.97, 37.6, 38.23, 38.85, 39.48, 40.11, 40.73, 41.36, 41.99, 42.61, 43.24, 43.87, 44.49, 45.12,
    45.75, 46.37, 47.0, 47.63, 48.25, 48.88, 49.51, 50.13, 50.76, 51.39, 52.01, 52.64, 53.27, 53.89,
    54.52, 55.15, 55.77, 56.4, 57.03, 57.65, 58.28, 58.91, 59.53, 60.16, 60.79, 61.41, 62.04, 62.98,
    64.24, 65.49, 66.74, 68.0, 69.25, 70.5, 71.76, 73.01, 74.26, 75.52, 76.77, 78.02, 79.28, 80.53,
    81.78, 83.04, 84.29, 85.54, 86.8, 88.05, 89.3, 90.56, 91.81, 93.06, 94.32, 95.57, 96.82, 98.08,
    99.33, 100.58, 101.84, 103.09, 104.34, 105.6, 106.85, 108.1, 109.35, 110.61, 111.86, 113.11, 114.37,
    115.62, 116.87, 118.13, 119.38, 120.63, 121.89, 123.14, 124.39, 125.65, 126.9, 128.15, 129.41,
    130.66, 131.91, 133.17, 134.42, 135.67, 136.93, 138.18, 139.43, 140.69, 141.94, 143.19, 144.45,
    145.7, 146.95, 148.21, 149.46, 150.71, 151.97, 153.22, 154.47, 155.73, 156.98, 158.23, 159.49,
    160.74, 161.99, 163.25, 164.5, 165.75, 167.01, 168.26, 169.51, 170.77, 172.02, 173.27, 174.53,
    175.78, 177.03, 178.29, 179.54, 180.79, 182.05, 183.3, 184.55, 185.81, 187.06, 188.31, 189.57,
    190.82, 192.07, 193.33, 194.58, 195.83, 197.09, 198.34, 199.59, 200.85, 202.1, 203.35, 204.61,
    205.86, 207.11, 208.37, 209.62, 210.87, 212.13, 213.38, 214.63, 215.89, 217.14, 218.39, 219.65,
    220.9, 222.15, 223.41, 224.66, 225.91, 227.17, 228.42, 229.67, 230.93, 232.18, 233.43, 234.69,
    235.94, 237.19, 238.45, 239.7, 240.95, 242.21, 243.46, 244.71, 245.97, 247.22, 248.47, 249.73,
    250.98, 252.23, 253.49, 254.74, 255.99, 255.99,
)  # fmt: skip
"""Sigma factor of each threshold index, 0 to 255."""


def bypass_values() -> npt.NDArray[np.float32]:
    """Return amplitudes (1, code) of ten bits: the sign and the magnitude (section 4.2)."""
    magnitudes = np.arange(512, dtype=np.float32)
    return np.concatenate([magnitudes, -magnitudes])[None]


@functools.cache
def baq_values(bits: int) -> npt.NDArray[np.float32]:
    """Return amplitudes (threshold index, code) of BAQ; a code is the sign bit and then the magnitude."""
    return _values(_BAQ_SIMPLE[bits], _BAQ_LEVELS[bits], 1 << bits - 1)


@functools.cache
def fdbaq_values() -> npt.NDArray[np.float32]:
    """Return amplitudes (BRC, threshold index, code) of FDBAQ; a code is a magnitude, 16 more if negative."""
    pairs = zip(_FDBAQ_SIMPLE, _FDBAQ_LEVELS, strict=True)
    return np.stack([_values(simple, levels, 16) for simple, levels in pairs])


def _values(simple: tuple[float, ...], levels: tuple[float, ...], sign: int) -> npt.NDArray[np.float32]:
    """Return amplitudes (threshold index, code); a negative code has ``sign`` on top (section 5.2)."""
    number = len(levels)
    positive = np.zeros((256, sign), np.float32)
    # In single precision, as the other decoders of these packets do, so that results are equal to the bit.
    positive[:, :number] = np.outer(np.array(_SIGMA_FACTORS, np.float32), np.array(levels, np.float32))
    for threshold, highest in enumerate(simple):
        positive[threshold, :number] = [*range(number - 1), highest]
    return np.concatenate([positive, -positive], axis=1)
