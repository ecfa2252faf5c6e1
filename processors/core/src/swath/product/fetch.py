"""Products of other places on this machine: fetched whole, once, and on from where a fetch was broken off."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from swath.errors import InputError, ProductError, WriteError
from swath.io.address import NETWORK, protocol
from swath.io.store import safe_name
from swath.product._locate import choose_asset, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Progress = Callable[[int, int], None]

__all__ = ["cache_folder", "fetch"]

_STEP = 32 << 20
"""Bytes that are read, in several requests at once, and then written."""

_STATE = ".state.json"
"""Name of the file beside what was fetched so far that tells what it is a part of."""


def cache_folder() -> Path:
    """Return the folder of fetched products: ``$SWATH_HOME/cache``, else the XDG cache of this user."""
    home = os.environ.get("SWATH_HOME")
    if home:
        return Path(home).absolute() / "cache" / "products"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "swath" / "products"


def fetch(
    product: str | os.PathLike[str] | Mapping[str, Any],
    folder: str | os.PathLike[str] | None = None,
    *,
    progress: Progress | None = None,
) -> Path:
    """Return a product's path on this machine, fetching it where it is not there yet.

    It appears under its name when all of it is there. What was fetched before a break is not fetched again.

    Parameters
    ----------
    product
        A URL, or a STAC item: its address, or as JSON has it. What is on this machine is left where it is.
    folder
        Where to put it; the cache of Swath where not given.
    progress
        Called with the bytes that are there and those of the whole.

    Raises
    ------
    ProductError
        There is no such product, or its files cannot be listed.
    StoreError
        The server fails, however often it is asked; a later call goes on from there.
    WriteError
        This machine refuses to write.
    InputError
        A package is missing that is needed.
    """
    location = locate(os.fspath(product)) if not isinstance(product, Mapping) else choose_asset(dict(product))
    if protocol(location) not in NETWORK:
        if not Path(location).exists():
            raise ProductError(f"nothing at {location}: give the path of a product")
        return Path(location)
    parts = urlsplit(location)
    name = safe_name(unquote(parts.path).rstrip("/").rpartition("/")[2] or parts.netloc)
    # In the cache, products of one name from several places stay apart; a signature makes no other place.
    place = sha256(f"{parts.scheme}://{parts.netloc}{parts.path}".encode()).hexdigest()[:16]
    parent = cache_folder() / place if folder is None else Path(folder)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        with _alone(parent / f".{name}.lock"):
            if not (parent / name).exists():
                _get(location, parent, name, progress or _silent)
    except OSError as error:
        raise WriteError(
            f"{name} could not be written into {parent}: {error.strerror or error}. What was fetched is "
            "kept; free space, or choose another folder."
        ) from None
    return parent / name


def _get(location: str, parent: Path, name: str, progress: Progress) -> None:
    """Fetch a product into a folder that nobody sees, and give it its name."""
    partial = parent / f".{name}.partial"
    partial.mkdir(exist_ok=True)
    _fetch(location, partial, progress)
    (partial / "content").replace(parent / name)
    shutil.rmtree(partial)


def _fetch(location: str, partial: Path, progress: Progress) -> None:
    from swath.io.remote import RemoteDirectory, find_remote  # noqa: PLC0415 -- only what is remote

    found = find_remote(location)
    if isinstance(found, RemoteDirectory):
        names = {name: found.size(name) for name in found.names()}
    else:
        names = {"": found.size()}

    _begin(partial, names)
    done, total = 0, sum(names.values())
    for name, size in names.items():
        path = partial / "content" / safe_name(name) if name else partial / "content"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            start = file.tell()
            while start < size:
                stop = min(start + _STEP, size)
                data = (
                    found.read_range(name, start, stop)
                    if isinstance(found, RemoteDirectory)
                    else found.read(start, stop)
                )
                if not data:
                    raise ProductError(f"{found.location} ends at byte {start} of {size}; fetch it again")
                file.write(data)
                start += len(data)
                progress(done + start, total)
        done += size


def _begin(partial: Path, names: Mapping[str, int]) -> None:
    """Throw away what was fetched of something else: of a product that has changed meanwhile."""
    state = partial / _STATE
    told = json.dumps(dict(names), sort_keys=True)
    if not state.is_file() or state.read_text(encoding="utf-8") != told:
        shutil.rmtree(partial)
        partial.mkdir()
        state.write_text(told, encoding="utf-8")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that other processes respect, so that two do not fetch the same."""
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError as error:
            raise InputError(
                f"{path.parent} does not do locks ({error.strerror}); choose another folder"
            ) from None
        yield


def _silent(_done: int, _total: int) -> None:
    """Tell nobody."""
