"""Decoding the user data of packets into complex samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.errors import InputError
from swath.io.isp._fields import HEADER_BYTES
from swath.io.isp._tables import baq_values, bypass_values, fdbaq_values

if TYPE_CHECKING:
    from swath.io.isp._packets import Packets

__all__ = ["decode_packets", "ranges"]

_GAP = 1 << 20
"""Bytes between two packets that are read rather than left out: a request costs more."""

_BYPASSED, _OPERATIONAL = (5, 7), (0, 4, 6)
"""Test modes (section 3.2.2.4) without and with the decimation filter and BAQ."""

_BYPASS, _BAQ, _FDBAQ = (0,), (3, 4, 5), (12, 13, 14)
"""BAQ modes (section 3.2.5.2)."""


def decode_packets(packets: Packets, *, width: int | None = None) -> npt.NDArray[np.complex64]:
    """Read and decode packets; the lock of Python is not held meanwhile.

    User data of type A and B (bypass), C (BAQ of 3, 4, 5 bits) and D (FDBAQ) are decoded (section 4).

    Parameters
    ----------
    packets
        The packets, as :func:`scan_packets` finds them.
    width
        Samples of a row, at least twice the quads of each packet; by default, of the longest packet.

    Returns
    -------
    ndarray
        Samples (packet, sample), NaN after the last sample of a packet that is shorter than others.

    Raises
    ------
    PacketError
        The user data of a packet is shorter than its header says, or has a code that does not exist.
    InputError
        The compiler is not installed.
    """
    kernels = _kernels()
    most = 2 * int(packets.quads.max(initial=0))
    samples = np.empty((len(packets), most if width is None else width), np.complex64)
    out = samples.view(np.float32)
    data, starts = _read(packets, kernels.SLACK)
    words = kernels.as_words(data)
    modes = _modes(packets)
    for mode in np.unique(modes):
        rows = np.flatnonzero(modes == mode)
        decode = _fdbaq if mode in _FDBAQ else _fixed
        decode(kernels, packets[rows], words, starts[rows], out=out, rows=rows)
    return samples


def ranges(packets: Packets) -> list[tuple[int, int]]:
    """Return the ranges of the file that hold the packets, first byte and byte after the last."""
    found: list[tuple[int, int]] = []
    for start, stop in zip(packets.starts.tolist(), (packets.starts + packets.sizes).tolist(), strict=True):
        if found and start - found[-1][1] <= _GAP:
            found[-1] = (found[-1][0], stop)
        else:
            found.append((start, stop))
    return found


def _kernels() -> Any:
    try:
        from swath.io.isp import _kernels  # noqa: PLC0415 -- the compiler is an extra, and slow to import
    except ImportError as error:
        raise InputError(
            f"decoding level-0 packets needs a compiler that is not installed ({error}): "
            "install the extra, python -m pip install 'swath[compiled]'"
        ) from None
    return _kernels


def _read(packets: Packets, slack: int) -> tuple[bytearray, npt.NDArray[np.int64]]:
    """Read the packets; return their bytes, and where each one's user data starts in them."""
    data, moved = bytearray(), []
    for start, stop in ranges(packets):
        moved.append((start, len(data) - start))
        data += packets.store.read_range(packets.name, start, stop)
    data += bytes(slack - len(data) % 8)
    edges = np.array([start for start, _ in moved])
    shifts = np.array([shift for _, shift in moved])
    which = np.searchsorted(edges, packets.starts, side="right") - 1
    return data, packets.starts + shifts[which] + HEADER_BYTES


def _modes(packets: Packets) -> npt.NDArray[np.uint8]:
    """Return the BAQ mode of each packet, having refused what does not exist (table 3.3-2)."""
    modes, tests = packets.field("baq_mode"), packets.field("test_mode")
    known = np.isin(tests, _BYPASSED) & np.isin(modes, _BYPASS)
    known |= np.isin(tests, _OPERATIONAL) & np.isin(modes, _BYPASS + _BAQ + _FDBAQ)
    if not known.all():
        first = int(np.argmin(known))
        raise packets.error(
            first,
            f"has BAQ mode {modes[first]} in test mode {tests[first]}, "
            "expected 0, 3, 4, 5, 12, 13 or 14 in an operational mode",
        )
    return modes.astype(np.uint8)


def _blocks(packets: Packets) -> npt.NDArray[np.int64]:
    """Return the quads of a block (section 3.2.5.3)."""
    return 4 * (packets.field("baq_block_length").astype(np.int64) + 1)


def _fixed(
    kernels: Any,
    packets: Packets,
    words: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    *,
    out: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
) -> None:
    """Decode packets of one mode without variable lengths, having refused those that are too short."""
    mode = int(packets.field("baq_mode")[0])
    bits, values = (10, bypass_values()) if mode in _BYPASS else (mode, baq_values(mode))
    quads, blocks, sizes = packets.quads, _blocks(packets), packets.sizes - HEADER_BYTES
    tags = 0 if mode in _BYPASS else 8 * -(-quads // blocks)
    needed = 2 * (3 * -(-quads * bits // 16) + -(-(quads * bits + tags) // 16))
    short = np.flatnonzero(sizes < needed)
    if short.size:
        first = int(short[0])
        raise packets.error(
            first, f"has {sizes[first]} bytes of user data, but its {quads[first]} quads need {needed[first]}"
        )
    kernels.decode_fixed(words, starts, quads, blocks, bits, values, out, rows)


def _fdbaq(
    kernels: Any,
    packets: Packets,
    words: npt.NDArray[np.uint64],
    starts: npt.NDArray[np.int64],
    *,
    out: npt.NDArray[np.float32],
    rows: npt.NDArray[np.int64],
) -> None:
    """Decode packets of variable lengths; that they are too short is found on the way."""
    outcome = np.zeros(len(packets), np.int64)
    stops = starts + packets.sizes - HEADER_BYTES
    codes, lengths = kernels.huffman_tables()
    blocks, values = _blocks(packets), fdbaq_values()
    kernels.decode_fdbaq(
        words, starts, stops, packets.quads, blocks, codes, lengths, values, out, rows, outcome
    )
    bad = np.flatnonzero(outcome)
    if bad.size:
        told = {
            kernels.TOO_SHORT: "ends before all its quads are decoded: its user data is corrupt or truncated",
            kernels.BAD_RATE: "has a bit rate code above 4: its user data is corrupt",
        }[int(outcome[bad[0]])]
        raise packets.error(int(bad[0]), told)
