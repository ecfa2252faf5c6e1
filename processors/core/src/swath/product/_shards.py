"""Shards: files that hold several chunks, so that a window costs little and a product has few files."""

from __future__ import annotations

import math

__all__ = ["INNER", "inner_chunks"]

INNER = 366
"""Length of a chunk along rows and columns that is aimed at: a fifth of 1830, the chunks of 10 m bands of
EOPF Sentinel-2 products. Reading such a chunk out of a shard costs a third of reading one of 1830."""

_LARGE = 1.5 * INNER
"""Chunks up to this length are left as they are."""

_NEAR = (INNER / 1.5, INNER * 1.5)
"""Lengths that are near enough where they divide the shard without rest."""


def inner_chunks(shard: tuple[int, ...]) -> tuple[int, ...]:
    """Return the chunks that a file of this shape is cut into; the same shape where it is small.

    Only the last two dimensions are cut, into parts of about :data:`INNER`, equal ones where there are such.
    """
    if len(shard) < 2:
        return shard
    return (*shard[:-2], *(_inner(length) for length in shard[-2:]))


def _inner(length: int) -> int:
    if length <= _LARGE:
        return length
    parts = [n for n in range(2, length) if length % n == 0 and _NEAR[0] <= length / n <= _NEAR[1]]
    if parts:
        return length // min(parts, key=lambda n: abs(math.log(length / n / INNER)))
    return math.ceil(length / round(length / INNER))
