"""Loops over the bits of packets, compiled with numba; they hold no lock of Python while they run.

Bits are read from 64-bit words, the first bit highest. The loops check nothing but the ends of what they
read: what a header claims is checked before (:mod:`swath.io.isp._decode`). They read at most :data:`SLACK`
bytes past the end of a packet.
"""

# ruff: noqa: PLR0912, PLR0917 -- compiled loops: calls and keywords cost what they save the reader

from __future__ import annotations

import functools
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from swath.io.isp._tables import HUFFMAN

__all__ = [
    "BAD_RATE",
    "OK",
    "SLACK",
    "TOO_SHORT",
    "as_words",
    "decode_fdbaq",
    "decode_fixed",
    "huffman_tables",
]

OK, TOO_SHORT, BAD_RATE = 0, 1, 2
"""Outcome of a packet."""

SLACK = 2048
"""Bytes that must follow the last packet: the longest codes of the largest block (1024 of 10 bits) fit."""

_WINDOW = 11
"""Bits that are looked up at once: the longest code, with its sign, has 10, and wider tables are slower."""

_PER_WORD = 5
"""Look-ups that 64 bits are enough for."""


def as_words(data: bytearray) -> npt.NDArray[np.uint64]:
    """Return bytes as words; their number must be a multiple of eight."""
    return np.frombuffer(data, ">u8").astype(np.uint64)


@functools.cache
def huffman_tables() -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.uint16]]:
    """Return what a window of bits starts with, both (BRC, window).

    The first table has up to four codes, a byte each. The second has the bits of all of them (bits 0 to 3),
    their number (4 to 6), and the bits of the first (8 to 11).
    """
    codes = np.zeros((len(HUFFMAN), 1 << _WINDOW), np.uint32)
    sizes = np.zeros((len(HUFFMAN), 1 << _WINDOW), np.uint16)
    for brc, magnitudes in enumerate(HUFFMAN):
        book = {
            sign + code: 16 * int(sign) + magnitude
            for sign in "01"
            for magnitude, code in enumerate(magnitudes)
        }
        for window in range(1 << _WINDOW):
            codes[brc, window], sizes[brc, window] = _look_up(format(window, f"0{_WINDOW}b"), book)
    return codes, sizes


def _look_up(bits: str, book: dict[str, int]) -> tuple[int, int]:
    codes = number = position = first = 0
    while number < 4:
        # No code is the start of another one, so the first length that is a code is the code.
        length = next((n for n in range(2, 11) if bits[position : position + n] in book), None)
        if length is None:
            break
        codes |= book[bits[position : position + length]] << 8 * number
        position += length
        number += 1
        first = first or length
    return codes, position | number << 4 | first << 8


_compiled: Any = functools.partial(numba.njit, nogil=True, cache=True)


@_compiled(inline="always")
def _bits(words, position):  # type: ignore[no-untyped-def] # compiled for the types it is called with
    """Return the 64 bits from a position on."""
    word, shift = position >> 6, np.uint64(position & 63)
    return (words[word] << shift) | ((words[word + 1] >> np.uint64(1)) >> (np.uint64(63) - shift))


@_compiled(inline="always")
def _store(codes, out, at):  # type: ignore[no-untyped-def]
    out[at] = np.uint8(codes)
    out[at + 1] = np.uint8(codes >> np.uint32(8))
    out[at + 2] = np.uint8(codes >> np.uint32(16))
    out[at + 3] = np.uint8(codes >> np.uint32(24))


@_compiled()
def _decode_block(words, position, codes, sizes, out, start, number):  # type: ignore[no-untyped-def]
    """Decode ``number`` codes of one bit rate and return the position after them."""
    at, last = start, start + number
    window = np.uint64(64 - _WINDOW)
    while last - at >= 4 * _PER_WORD:
        word = _bits(words, position)
        for _ in range(_PER_WORD):
            size = sizes[word >> window]
            _store(codes[word >> window], out, at)
            at += np.int64(size >> np.uint16(4) & np.uint16(7))
            used = np.int64(size & np.uint16(15))
            position += used
            word <<= np.uint64(used)
    while last - at >= 4:
        found = _bits(words, position) >> window
        _store(codes[found], out, at)
        at += np.int64(sizes[found] >> np.uint16(4) & np.uint16(7))
        position += np.int64(sizes[found] & np.uint16(15))
    while at < last:
        found = _bits(words, position) >> window
        out[at] = np.uint8(codes[found])
        at += 1
        position += np.int64(sizes[found] >> np.uint16(8))
    return position


@_compiled()
def decode_fdbaq(words, starts, stops, quads, blocks, codes, sizes, values, out, rows, outcome):  # type: ignore[no-untyped-def]
    """Decode packets of type D (section 4.4) into ``rows`` of ``out``: I and Q, even and odd, then NaN.

    ``starts`` and ``stops`` are bytes of the user data; ``blocks`` has the quads of a block of each packet.
    """
    most = 0
    for packet in range(len(quads)):
        most = max(most, quads[packet])
    channels = np.empty((4, most + 4), np.uint8)
    rates = np.empty(most // 4 + 1, np.int64)
    thresholds = np.empty(most // 4 + 1, np.int64)
    for packet in range(len(starts)):
        number, block, stop = quads[packet], blocks[packet], stops[packet] * 8
        position = starts[packet] * 8
        state = OK
        for channel in range(4):
            for start in range(0, number, block):
                if position >= stop:
                    state = TOO_SHORT
                    break
                if channel == 0:
                    rates[start // block] = np.int64(_bits(words, position) >> np.uint64(61))
                    position += 3
                    if rates[start // block] >= len(codes):
                        state = BAD_RATE
                        break
                elif channel == 2:
                    thresholds[start // block] = np.int64(_bits(words, position) >> np.uint64(56))
                    position += 8
                rate = rates[start // block]
                size = min(block, number - start)
                position = _decode_block(
                    words, position, codes[rate], sizes[rate], channels[channel], start, size
                )
            if position > stop:
                state = TOO_SHORT
            if state != OK:
                break
            position = (position + 15) // 16 * 16
        outcome[packet] = state
        if state == OK:
            row = out[rows[packet]]
            row[4 * number :] = np.nan
            for start in range(0, number, block):
                amplitudes = values[rates[start // block], thresholds[start // block]]
                for k in range(start, min(start + block, number)):
                    row[4 * k] = amplitudes[channels[0, k]]
                    row[4 * k + 1] = amplitudes[channels[2, k]]
                    row[4 * k + 2] = amplitudes[channels[1, k]]
                    row[4 * k + 3] = amplitudes[channels[3, k]]


@_compiled()
def decode_fixed(words, starts, quads, blocks, bits, values, out, rows):  # type: ignore[no-untyped-def]
    """Decode packets of codes of fixed length into ``rows`` of ``out``, as :func:`decode_fdbaq` does.

    With one row of ``values`` there are no threshold indices (types A and B, section 4.2), with more there is
    one before each block of the third channel (type C, section 4.3).
    """
    shift = np.uint64(64 - bits)
    adaptive = values.shape[0] > 1
    for packet in range(len(starts)):
        number, block, start = quads[packet], blocks[packet], starts[packet] * 8
        plain = (number * bits + 15) // 16 * 16
        tags = 8 * ((number + block - 1) // block) if adaptive else 0
        tagged = (number * bits + tags + 15) // 16 * 16
        row = out[rows[packet]]
        row[4 * number :] = np.nan
        even_i, odd_i, even_q, odd_q = start, start + plain, start + 2 * plain, start + 2 * plain + tagged
        for first in range(0, number, block):
            amplitudes = values[0]
            if adaptive:
                amplitudes = values[_bits(words, even_q) >> np.uint64(56)]
                even_q += 8
            for k in range(first, min(first + block, number)):
                row[4 * k] = amplitudes[_bits(words, even_i) >> shift]
                row[4 * k + 1] = amplitudes[_bits(words, even_q) >> shift]
                row[4 * k + 2] = amplitudes[_bits(words, odd_i) >> shift]
                row[4 * k + 3] = amplitudes[_bits(words, odd_q) >> shift]
                even_i += bits
                even_q += bits
                odd_i += bits
                odd_q += bits
