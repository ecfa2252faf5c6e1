"""One process at a time changes a cluster."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from swath_sde.cluster.errors import NodeError
from swath_sde.exclusive import holding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["locked"]


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold a cluster while the block runs; the system lets go of it however the process ends.

    Raises
    ------
    NodeError
        Another process holds it.
    """

    def busy(holder: str) -> NodeError:
        return NodeError(
            f"process {holder or '?'} is changing this cluster ({state}): wait until it has ended"
        )

    with holding(state / "cluster.lock", busy):
        yield
