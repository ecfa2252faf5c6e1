"""Headers of HDF5 files, read in a process of their own.

The HDF5 library believes what a file says. Damage in a header can end the process that reads it, keep it busy
for ever, or let it ask for any amount of memory. So one child of this process reads headers: it asks back for
the bytes, which it never touches itself, has a bound on its memory, and is replaced when it ends or says
nothing for long.
"""

from __future__ import annotations

import atexit
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from swath.errors import InputError, MetadataError, ProductError, SwathError
from swath.io.netcdf._hdf5 import read_hdf5

if TYPE_CHECKING:
    from swath.io.netcdf._variable import File
    from swath.io.store import Store

__all__ = ["PATIENCE", "read_apart", "serve"]

PATIENCE = 60.0
"""Seconds without a word after which the child is taken to be caught in a damaged file: the largest header of
a product takes a tenth of one."""

_MEMORY = 4 << 30
"""Bytes of address space that the child may have: what is read whole is bounded far below it."""

_ERRORS: dict[str, type[SwathError]] = {
    error.__name__: error for error in (InputError, MetadataError, ProductError)
}

_START = "import sys; sys.path[:] = {path!r}; from swath.io.netcdf._apart import serve; serve({descriptor})"


class _Child:
    """The process that reads headers; one a process, started when it is first needed."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = _START.format(path=sys.path, descriptor=theirs.fileno())
            self.process = subprocess.Popen(  # noqa: S603 -- this very Python, and code of this module
                [sys.executable, "-c", command],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # the allocator's last words
                # A library of linear algebra reserves memory for each of its threads, and none is needed.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                start_new_session=True,  # Ctrl-C is told by this process
            )
        self.connection = Connection(ours.detach())
        self.owner = os.getpid()

    def end(self) -> str:
        """End the process and say how it ended."""
        with suppress(OSError):
            self.connection.close()
        if self.process.poll() is None:
            self.process.kill()
        status = self.process.wait()
        return signal.Signals(-status).name if status < 0 else f"status {status}"


_lock = threading.Lock()
_children: list[_Child] = []
"""The one child, or none."""


def read_apart(store: Store, name: str) -> File:
    """Read the headers of a netCDF-4 file; see :func:`swath.io.netcdf.read_file`."""
    with _lock:
        child = _ready()
        try:
            answer = _ask(child, store, name)
        except _Gone as gone:
            raise ProductError(
                f"{store.location}: {name} is corrupt: {gone.told}; get the product again"
            ) from None
        except BaseException:
            _drop()  # it may be in the middle of an answer
            raise
    if isinstance(answer, SwathError):
        raise answer
    return answer


class _Gone(Exception):  # noqa: N818 -- told as another error
    def __init__(self, told: str) -> None:
        self.told = told


def _ask(child: _Child, store: Store, name: str) -> File | SwathError:
    """Return what the child makes of a file, having given it the bytes that it asked for."""
    connection = child.connection
    try:
        connection.send((store.location, name, store.size(name), store.remote))
        while True:
            if not connection.poll(PATIENCE):
                _drop()
                raise _Gone(f"the HDF5 library was busy with its header for {PATIENCE:g} s")
            kind, *told = connection.recv()
            if kind == "read":
                connection.send_bytes(store.read_range(name, *told))
            else:
                break
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise _Gone(f"the HDF5 library failed on its header ({_drop()})") from None
    if kind == "error":
        error, message = told
        return _ERRORS[error](message)
    (file,) = told
    for path, variable in file.variables.items():
        file.variables[path] = replace(variable, store=store)
    found: File = file
    return found


def _ready() -> _Child:
    if _children and (_children[0].owner != os.getpid() or _children[0].process.poll() is not None):
        if _children[0].owner == os.getpid():
            _children[0].end()
        _children.clear()  # after a fork it is the other process's
    if not _children:
        _children.append(_Child())
    return _children[0]


def _drop() -> str:
    told = _children[0].end() if _children and _children[0].owner == os.getpid() else ""
    _children.clear()
    return told


atexit.register(_drop)


class _Asked:
    """A store of one file, of which the parent reads the bytes."""

    def __init__(self, location: str, size: int, remote: bool, connection: Connection) -> None:
        self.location, self.remote = location, remote
        self._size, self._connection = size, connection

    def __reduce__(self) -> Any:
        return type(None), ()  # the parent puts the store in its place

    def size(self, _: str) -> int:
        """Return the size of the file in bytes."""
        return self._size

    def read_range(self, _: str, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive)."""
        self._connection.send(("read", start, stop))
        return self._connection.recv_bytes()


def serve(descriptor: int) -> None:
    """Read headers for the parent until it closes the connection; the body of the child."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection = Connection(descriptor)
    with suppress(EOFError, OSError):
        while True:
            location, name, size, remote = connection.recv()
            store: Any = _Asked(location, size, remote, connection)
            try:
                answer: tuple[Any, ...] = ("done", read_hdf5(store, name))
            except SwathError as error:
                answer = ("error", type(error).__name__, str(error))
            except Exception as error:  # noqa: BLE001 -- whatever the library makes of a damaged file
                told = (
                    f"{location}: {name} is corrupt ({type(error).__name__}: {error}); get the product again"
                )
                answer = ("error", "ProductError", told)
            connection.send(answer)
