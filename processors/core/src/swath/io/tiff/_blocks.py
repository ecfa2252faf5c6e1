"""Rows of an image, from its strips or tiles."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.errors import ProductError

if TYPE_CHECKING:
    from swath.io.store import Store
    from swath.io.tiff._header import Header

__all__ = ["packed_bytes", "packed_runs", "read_rows"]

_MAX_REQUEST = 64 << 20
"""Most bytes that are asked for at once."""


def packed_bytes(header: Header, start: int, stop: int) -> int:
    """Return the bytes of the blocks that hold rows ``start`` to ``stop`` (exclusive)."""
    return int(header.sizes[_blocks(header, start, stop)].sum())


def packed_runs(header: Header, start: int, stop: int) -> list[tuple[int, int]]:
    """Return the ranges of the file that reading rows ``start`` to ``stop`` (exclusive) asks for."""
    return [(begin, end) for begin, end, _ in _runs(header, _blocks(header, start, stop))]


def read_rows(store: Store, header: Header, start: int, stop: int) -> npt.NDArray[Any]:
    """Read rows ``start`` to ``stop`` (exclusive), all columns.

    Blocks that lie together in the file are one request.

    Raises
    ------
    ProductError
        A block is truncated or corrupt.
    """
    first = start // header.block_shape[0] * header.block_shape[0]
    across = header.blocks[1]
    chosen = _blocks(header, start, stop)
    down = (chosen.stop - chosen.start) // across
    rows, columns = header.block_shape
    parts = 2 if header.complex_samples else 1
    whole = np.zeros((down * rows, across * columns * parts), header.stored.newbyteorder("="))
    for index, data in _packed(store, header, chosen):
        row, column = divmod(index - chosen.start, across)
        # The last strip may hold fewer rows than the others.
        values = _unpack(store, header, index, data)
        place = whole[
            row * rows : row * rows + len(values), column * columns * parts : (column + 1) * columns * parts
        ]
        place[...] = values
    found = whole[start - first : stop - first, : header.shape[1] * parts]
    if not header.complex_samples:
        return found
    return np.ascontiguousarray(found, np.float32).view(np.complex64)


def _blocks(header: Header, start: int, stop: int) -> slice:
    rows, across = header.block_shape[0], header.blocks[1]
    return slice(start // rows * across, -(-stop // rows) * across)


def _runs(header: Header, chosen: slice) -> list[tuple[int, int, list[int]]]:
    """Return first and last byte, and the blocks, of each request; neighbours in the file are one."""
    indices = np.arange(chosen.start, chosen.stop)
    indices = indices[header.sizes[chosen] > 0]
    indices = indices[np.argsort(header.offsets[indices], kind="stable")]
    runs: list[list[int]] = []
    for index in indices.tolist():
        if runs and _joins(header, runs[-1], index):
            runs[-1].append(index)
        else:
            runs.append([index])
    return [
        (int(header.offsets[run[0]]), int(header.offsets[run[-1]] + header.sizes[run[-1]]), run)
        for run in runs
    ]


def _packed(store: Store, header: Header, chosen: slice) -> list[tuple[int, memoryview]]:
    """Read the stored blocks."""
    found: list[tuple[int, memoryview]] = []
    for begin, end, run in _runs(header, chosen):
        data = memoryview(store.read_range(header.name, begin, end))
        for index in run:
            at = int(header.offsets[index]) - begin
            found.append((index, data[at : at + int(header.sizes[index])]))
    return found


def _joins(header: Header, run: list[int], index: int) -> bool:
    together = header.offsets[run[-1]] + header.sizes[run[-1]] == header.offsets[index]
    return bool(
        together and header.offsets[index] + header.sizes[index] - header.offsets[run[0]] <= _MAX_REQUEST
    )


def _unpack(store: Store, header: Header, index: int, data: memoryview) -> npt.NDArray[Any]:
    """Return a block's numbers (row, numbers of a row)."""
    rows, columns = header.block_shape
    parts = 2 if header.complex_samples else 1
    if columns == header.shape[1]:
        rows = min(rows, header.shape[0] - index // header.blocks[1] * rows)
    expected = rows * columns * parts * header.stored.itemsize
    try:
        raw = _decompress(header.compression, data, expected)
    except (ValueError, RuntimeError, zlib.error) as error:
        raise ProductError(
            f"{store.location}: {header.name}: block {index} is corrupt ({error}); get the product again"
        ) from error
    if len(raw) != expected:
        raise ProductError(
            f"{store.location}: {header.name}: block {index} has {len(raw)} bytes, expected {expected}; "
            "get the product again"
        )
    values: npt.NDArray[Any] = np.frombuffer(raw, header.stored).reshape(rows, columns * parts)
    return _undo(header, values)


def _decompress(compression: str, data: memoryview, expected: int) -> Any:
    """Unpack a block into no more bytes than it should have."""
    if compression == "none":
        return data
    if compression == "deflate":
        return zlib.decompressobj().decompress(data, expected)
    import imagecodecs  # noqa: PLC0415 -- only what is packed needs it

    decode = imagecodecs.zstd_decode if compression == "zstd" else imagecodecs.lzw_decode
    return decode(bytes(data), out=bytearray(expected))


def _undo(header: Header, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Undo the predictor: each number is the difference to the one before (section 14)."""
    if header.predictor == 1:
        return values
    if header.predictor == 2 and values.dtype.kind in "iu" and not header.complex_samples:
        native = values.astype(values.dtype.newbyteorder("="))
        summed: npt.NDArray[Any] = np.add.accumulate(native, axis=1, dtype=native.dtype)
        return summed
    raise ProductError(
        f"{header.name} has predictor {header.predictor}, which no product has; convert it with GDAL"
    )
