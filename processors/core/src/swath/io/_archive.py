"""What products in one file have in common, whatever the file is: an archive, or the product itself."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeVar

from swath.io.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from swath.io.blob import Blob
    from swath.io.store import Range

__all__ = ["BlobStore", "below_top"]

Member = TypeVar("Member")


class BlobStore(Store):
    """A product in one file: what is wanted early is asked of that."""

    def __init__(self, blob: Blob) -> None:
        self.location = blob.location
        self.remote, self.held = blob.remote, blob.held
        self._blob = blob

    @property
    def identity(self) -> tuple[Any, ...]:
        """Where the file is, and which one."""
        return self._blob.identity

    def warm(self, wanted: Iterable[Range]) -> None:
        """Read small ranges at once and keep them."""
        self._blob.warm(self._ranges(wanted))

    def ahead(self, wanted: Iterable[Range]) -> None:
        """Begin to read what will be wanted."""
        self._blob.ahead(self._ranges(wanted))

    def fetch(self, wanted: Iterable[Range]) -> None:
        """Begin to read what will be wanted, and return when it is there."""
        self._blob.fetch(self._ranges(wanted))

    def drop(self) -> None:
        """Give up what was read ahead and not used."""
        self._blob.drop()

    @abstractmethod
    def _ranges(self, wanted: Iterable[Range]) -> list[tuple[int, int]]:
        """Return where wanted bytes lie in the file, as they will be asked for; others are left out."""


def below_top(members: Mapping[str, Member]) -> dict[str, Member]:
    """Take the top folder away where all members are in one."""
    tops = {PurePosixPath(name).parts[0] for name in members}
    if len(tops) != 1 or any("/" not in name for name in members):
        return dict(members)
    (top,) = tops
    return {name[len(top) + 1 :]: member for name, member in members.items()}
