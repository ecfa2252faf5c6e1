"""A file that HDF5 writes to, and that never fails in the middle of it.

The HDF5 library cannot bear a write that the system refuses: closing such a file ends the process. So the
first refusal is kept, what follows is dropped, and whoever writes asks for it and raises it.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

__all__ = ["Sink"]


class Sink(io.RawIOBase):
    """A new file; use it as a context manager, with h5py's file inside."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("w+b", buffering=0)
        self.refusal: OSError | None = None
        """The first error of the system, if there was one."""

    def check(self) -> None:
        """Raise the first error of the system, if there was one."""
        if self.refusal is not None:
            raise self.refusal

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        super().__exit__(kind, error, trace)
        self.check()

    def readable(self) -> bool:
        """Tell that it can be read: HDF5 reads back what it wrote."""
        return True

    def writable(self) -> bool:
        """Tell that it can be written."""
        return True

    def seekable(self) -> bool:
        """Tell that it has positions."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        """Read at the position; zeros where writing was refused."""
        view = memoryview(buffer).cast("B")
        data = self._file.read(len(view)) or b""
        view[: len(data)] = data
        if self.refusal is not None:
            view[len(data) :] = bytes(len(view) - len(data))
            return len(view)
        return len(data)

    def write(self, data: Any) -> int:
        """Write at the position, or keep the error of the system that refuses."""
        view = memoryview(data).cast("B")
        done = 0
        try:
            while self.refusal is None and done < len(view):
                done += self._file.write(view[done:]) or 0
        except OSError as error:
            self.refusal = error
        return len(view)

    def truncate(self, size: int | None = None) -> int:
        """Set the length, or keep the error of the system that refuses."""
        try:
            return self._file.truncate(size) if self.refusal is None else size or 0
        except OSError as error:
            self.refusal = error
            return size or 0

    def flush(self) -> None:
        """Do nothing: nothing is held back."""
