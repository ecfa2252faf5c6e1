"""All-or-nothing writing: a product appears under its name only when it is complete and on disk.

What is written goes to a partial directory beside the destination, ``.NAME.partial-<pid>-<random>``, on the
same file system, so that the last step is one atomic rename. A journal beside it lets the next run of the
same job go on from what a killed one has left.
"""

from __future__ import annotations

import asyncio
import fcntl
import glob
import hashlib
import os
import re
import secrets
import shutil
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from swath.errors import DestinationError, InputError, WriteError
from swath.io.journal import Journal, journal_path
from swath.io.small_files import flush, flush_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "CHECKSUMS",
    "check_apart",
    "check_destination",
    "check_folder",
    "new_file",
    "new_product",
    "replaced_file",
    "write_checksums",
]

CHECKSUMS = "SHA256SUMS"
"""Name of the file of checksums in a product, as ``sha256sum --check`` reads it."""

_MARKS = (CHECKSUMS, ".zgroup", "zarr.json", "manifest.safe", "MTD_MSIL1C.xml")
"""Names of files by which a folder is known as a product: only such a folder is replaced."""

_SETTLING = 60.0
"""Seconds to wait, at most, for the writes that were under way when one of them failed."""

_KEPT = "kept"
"""Stands in the place of a process's number in the name of a partial that was left on purpose."""


def check_destination(destination: str | os.PathLike[str], *, overwrite: bool = False) -> Path:
    """Return the destination as an absolute path, or say why it cannot be one. Writes nothing.

    Raises
    ------
    DestinationError
        It exists and ``overwrite`` is false, or it is no product, so that overwriting would lose something
        else: a file, a folder of other things, the folder of the user or that in which the process works (or
        one above). It is a file system's root, or its parent is not a directory.
    """
    if not os.fspath(destination):
        raise DestinationError("the destination is empty: give the path of a folder that shall appear")
    path = Path(os.path.abspath(destination))  # noqa: PTH100 -- resolve() would follow a link under that name
    if not path.name:
        raise DestinationError(f"{path} cannot be a product: give the path of a new folder in it")
    check_folder(path)
    if os.path.lexists(path):
        if path.is_symlink():
            raise DestinationError(
                f"{path} is a symbolic link: remove it, or name the folder that it leads to"
            )
        if not overwrite:
            raise DestinationError(f"{path} exists already: choose another destination, or pass --overwrite")
        if not path.is_dir() or (any(path.iterdir()) and not any((path / name).exists() for name in _MARKS)):
            raise DestinationError(
                f"{path} is not a product, and nothing else is overwritten: remove it, or choose another"
            )
        for place in (Path.cwd(), Path.home()):
            if place.resolve().is_relative_to(path.resolve()):
                raise DestinationError(
                    f"{path} holds {place}, all of which would go: choose another destination"
                )
    return path


def check_folder(path: Path) -> None:
    """Refuse the path of something new for which there is no folder.

    Raises
    ------
    DestinationError
        Its parent is absent, or a file.
    """
    if path.parent.is_file():
        raise DestinationError(
            f"{path.parent} is a file, so that {path.name} cannot be written into it: choose another"
        )
    if not path.parent.is_dir():
        raise DestinationError(
            f"no folder {path.parent} to write {path.name} into: create it, or choose another"
        )


def check_apart(destination: Path, source: str | os.PathLike[str]) -> None:
    """Refuse a destination that would destroy its own source, or lie in it.

    Raises
    ------
    DestinationError
        One is the other, or in the other.
    """
    place = Path(source)
    if not place.exists():
        return  # a URL, or nothing at all: whoever opens it tells
    ours, theirs = destination.resolve(), place.resolve()
    if ours.is_relative_to(theirs) or theirs.is_relative_to(ours):
        raise DestinationError(
            f"the destination {destination} and the product {source} lie in one another; choose another"
        )


@contextmanager
def new_product(
    destination: str | os.PathLike[str],
    overwrite: bool = False,
    *,
    checksums: bool = False,
    job: str = "",
    resume: bool = True,
    keep: bool = False,
) -> Iterator[Path]:
    """Yield a partial directory; rename it to ``destination`` when the block ends well.

    It is new and empty, or that which an earlier process of the same job left behind: its journal tells.

    Parameters
    ----------
    destination
        Path of the directory that shall appear.
    overwrite
        Replace what exists under that name. The old product stays whole until the new one is complete.
    checksums
        Write ``SHA256SUMS`` over all files before the rename.
    job
        Hash of all that the content depends on; see :class:`swath.io.journal.Journal`. Empty: always new.
    resume
        Go on in what an earlier process of the same job left behind.
    keep
        Leave the partial directory where the block fails, for the next run of the same job. Where the input
        is to blame, nothing is left.

    Raises
    ------
    DestinationError
        See :func:`check_destination`; before anything is written.
    WriteError
        The system refused to write: no space, read-only, no permission. Nothing is left under the final name
        that was not there before, and the partial directory is gone.
    """
    final = check_destination(destination, overwrite=overwrite)
    partial = final.parent / f".{final.name}.partial-{os.getpid()}-{secrets.token_hex(4)}"
    _writing.add(partial.name)
    adopted = resume and bool(job) and _adopt(final, partial, job)
    _remove_stale(final)
    lock: int | None = None
    kept = False
    try:
        try:
            if not adopted:
                partial.mkdir()
            lock = _lock(partial)
            yield partial
            if checksums:
                write_checksums(partial)
            flush_tree(partial)
            _appear(partial, final, overwrite=overwrite)
        except OSError as error:
            told = error.strerror or str(error)
            raise WriteError(
                f"cannot write {final}: {told}. Nothing was left there; free space or choose another "
                f"destination"
            ) from error
    except BaseException as error:
        kept = keep and bool(job) and not isinstance(error, InputError) and journal_path(partial).exists()
        raise
    finally:
        # Reached with the partial still there only when something went wrong, Ctrl-C included.
        if partial.exists():
            _settle()
            if kept:
                _move(partial, final.parent / f".{final.name}.partial-{_KEPT}-{secrets.token_hex(4)}")
            else:
                shutil.rmtree(partial, ignore_errors=True)
        journal_path(partial).unlink(missing_ok=True)
        _writing.discard(partial.name)
        if lock is not None:
            os.close(lock)


@contextmanager
def new_file(
    destination: str | os.PathLike[str], magics: tuple[bytes, ...], *, overwrite: bool = False
) -> Iterator[Path]:
    """Yield the path of a partial file; rename it to ``destination`` when the block ends well.

    Parameters
    ----------
    destination
        Path of the file that shall appear.
    magics
        First bytes by which a file is known as one of its kind: only such a file is replaced.
    overwrite
        Replace what exists under that name. The old file stays whole until the new one is complete.

    Raises
    ------
    DestinationError
        The destination exists, is no file of its kind, or there is no folder for it; before anything is
        written.
    WriteError
        The system refused to write; the partial file is gone.
    """
    final = Path(os.path.abspath(destination))  # noqa: PTH100 -- resolve() would follow a link under that name
    if not os.fspath(destination) or not final.name:
        raise DestinationError(f"{final} cannot be a file: give the path of a new file")
    check_folder(final)
    if os.path.lexists(final):
        if not overwrite:
            raise DestinationError(f"{final} exists already: choose another destination, or pass --overwrite")
        if final.is_symlink() or not final.is_file() or not _starts_with(final, magics):
            raise DestinationError(
                f"{final} is not a file of the same kind, and nothing else is overwritten: choose another"
            )
    with replaced_file(final) as partial:
        yield partial


@contextmanager
def replaced_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield the path of a partial file; when the block ends well, it takes the place of whatever is there.

    Raises
    ------
    WriteError
        The system refused to write; the partial file is gone, and what was there still is.
    """
    final = Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would follow a link under that name
    # A kill leaves the partial file: whoever writes under the same name removes it.
    for entry in final.parent.glob(f".{glob.escape(final.name)}.partial-*"):
        found = re.fullmatch(rf"\.{re.escape(final.name)}\.partial-(\d+)-[0-9a-f]{{8}}", entry.name)
        if found and not _others(entry.name, int(found[1])) and entry.is_file():
            entry.unlink(missing_ok=True)
    partial = final.parent / f".{final.name}.partial-{os.getpid()}-{secrets.token_hex(4)}"
    _writing.add(partial.name)
    try:
        yield partial
        flush(partial)
        partial.replace(final)
        flush(final.parent)
    except OSError as error:
        raise WriteError(
            f"cannot write {final}: {error.strerror or error}. Nothing was left there; free space or choose "
            "another destination"
        ) from error
    finally:
        with suppress(OSError):  # of a folder that is none, as the error above tells
            partial.unlink(missing_ok=True)
        _writing.discard(partial.name)


def _starts_with(path: Path, magics: tuple[bytes, ...]) -> bool:
    with path.open("rb") as file:
        start = file.read(16)
    return any(start.startswith(magic) for magic in magics)


def write_checksums(directory: Path) -> Path:
    """Write ``SHA256SUMS`` over all files under ``directory`` (itself left out) and return its path."""
    lines = []
    for path in sorted(path for path in directory.rglob("*") if path.is_file() and path.name != CHECKSUMS):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(directory).as_posix()}\n")
    target = directory / CHECKSUMS
    target.write_text("".join(lines), encoding="utf-8")
    return target


def _appear(partial: Path, final: Path, *, overwrite: bool) -> None:
    """Give the complete product its name, atomically; an old one steps aside first and is removed last."""
    if not os.path.lexists(final):
        partial.rename(final)
        flush(final.parent)
        return
    if not overwrite:
        raise DestinationError(f"{final} appeared while it was being written: choose another destination")
    old = final.parent / f".{final.name}.partial-{os.getpid()}-old-{secrets.token_hex(4)}"
    final.rename(old)
    try:
        partial.rename(final)
    except BaseException:
        old.rename(final)
        raise
    flush(final.parent)
    if old.is_dir():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)


def _settle() -> None:
    """Wait for what zarr is still writing: the first failure is raised while its other writes go on.

    They would make files, and the folders for them, in a directory that is being removed.
    """
    writing = sys.modules.get("zarr.core.sync")  # what was never imported writes nothing
    if writing is not None:
        with suppress(OSError, RuntimeError):  # its loop has been closed, at the end of the process
            writing.sync(_others_ended())


async def _others_ended() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    if others:
        await asyncio.wait(others, timeout=_SETTLING)


_writing: set[str] = set()
"""Names of the partials that this process is writing."""


def _others(name: str, pid: int) -> bool:
    """Tell whether a partial may be another process's that lives, or is one that this process is writing.

    In containers processes have the same number each time: what has ours and is not being written is what a
    process before us left.
    """
    return name in _writing if pid == os.getpid() else _alive(pid)


def _left_behind(final: Path) -> Iterator[tuple[Path, bool]]:
    """Go through what processes which are no more left beside ``final``: partials and old products."""
    pattern = re.compile(re.escape(f".{final.name}.partial-") + rf"(\d+|{_KEPT})-(old-)?[^-.]*")
    try:
        entries = list(final.parent.iterdir())
    except OSError:
        return
    for entry in entries:
        found = pattern.fullmatch(entry.name)
        if found and (found[1] == _KEPT or not _others(entry.name, int(found[1]))) and not _locked(entry):
            yield entry, bool(found[2])


def _adopt(final: Path, partial: Path, job: str) -> bool:
    """Take over the partial of an earlier process of the same job; tell whether there was one."""
    for entry, old in _left_behind(final):
        if not old and Journal(entry, job).matches() and (_move(entry, partial) or partial.exists()):
            return True
    return False


def _move(partial: Path, target: Path) -> bool:
    """Give a partial with its journal another name, unless somebody else has just done so."""
    try:
        partial.rename(target)
        journal_path(partial).rename(journal_path(target))
    except OSError:
        return False
    return True


def _remove_stale(final: Path) -> None:
    """Remove what processes which are no more left beside ``final``."""
    for entry, old in _left_behind(final):
        if old and not os.path.lexists(final):
            # A kill between the two renames of an overwrite: the old product takes its name again.
            with suppress(OSError):
                entry.rename(final)
        else:
            shutil.rmtree(entry, ignore_errors=True)
    for journal in final.parent.glob(f".{glob.escape(final.name)}.partial-*.jsonl"):
        if not journal.with_suffix("").exists():
            journal.unlink(missing_ok=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _lock(directory: Path) -> int:
    """Lock a directory for as long as the descriptor returned is open, and no longer than we live.

    Where numbers of processes say nothing (containers that share a volume), the lock tells who is alive. Some
    file systems lock no directories; there the number alone has to do.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def _locked(entry: Path) -> bool:
    try:
        descriptor = os.open(entry, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False
