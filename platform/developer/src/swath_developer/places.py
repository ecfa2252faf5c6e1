"""Where things are: the checkout of Swath, and the folders for caches and installed tools."""

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from platformdirs import user_cache_path, user_data_path

from swath_developer.errors import BadInputError


def cache_folder() -> Path:
    """Return the folder of what can be made anew: ``$SWATH_HOME/cache``, else the XDG cache of this user."""
    home = os.environ.get("SWATH_HOME")
    return Path(home).absolute() / "cache" if home else user_cache_path("swath")


def data_folder() -> Path:
    """Return the folder of installed tools: ``$SWATH_HOME``, else the XDG data folder of this user."""
    home = os.environ.get("SWATH_HOME")
    return Path(home).absolute() if home else user_data_path("swath")


def typed(*words: str | Path) -> str:
    """Return a ``swath`` command as the user of this shell can type it, quoted where a shell needs that.

    ``./swath`` says how it was called: the command itself need not be on PATH.
    """
    return shlex.join([os.environ.get("SWATH_CALLED_AS", "swath"), *map(str, words)])


def checkout() -> Path:
    """Return the root of the checkout of Swath that this package belongs to.

    Raises
    ------
    BadInputError
        If there is none: this package is installed from a wheel and ``SWATH_CHECKOUT`` is not set.
    """
    named = os.environ.get("SWATH_CHECKOUT")
    candidates = [Path(named).absolute()] if named else list(Path(__file__).resolve().parents)
    for folder in candidates:
        if (folder / "copier.yml").is_file() and (folder / "ci" / "templates").is_dir():
            return folder
    where = named or "the folders above this package"
    raise BadInputError(
        f"No checkout of Swath in {where}: copier.yml and ci/templates are not there. "
        "Set SWATH_CHECKOUT to the folder of a clone of Swath."
    )


@contextmanager
def made_whole(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside ``folder`` that takes its name when the block ends well: all or nothing.

    Where another process has made the same at the same time, that one's is kept.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.partial-", dir=folder.parent))
    try:
        yield partial
        try:
            partial.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
