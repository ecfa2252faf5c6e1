"""Where an installation keeps what it has, and what can be made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swath_developer.errors import DeveloperError
from swath_developer.places import cache_folder, checkout, data_folder, made_whole, typed

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["cache_folder", "checkout", "made_whole", "state_folder", "typed"]


def state_folder(name: str) -> Path:
    """Return the folder of an installation's own state on this machine; made with mode 0700 where absent.

    It is ``$SWATH_HOME/clusters/NAME``, else that of the XDG data folder of this user.

    Raises
    ------
    DeveloperError
        It cannot be made.
    """
    folder = data_folder() / "clusters" / name
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise DeveloperError(
            f"the folder of the installation's state, {folder}, cannot be made ({error.strerror}): set "
            "SWATH_HOME to one that you may write to"
        ) from None
    return folder
