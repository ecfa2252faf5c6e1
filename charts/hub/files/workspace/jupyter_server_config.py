"""Configuration of every user's Jupyter server; its own beside it, in the user's home, comes after."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from traitlets.config import Config

    def get_config() -> Config:
        """Return the configuration that is being loaded; traitlets defines it."""


sys.path.append(str(Path(__file__).parent))
c = get_config()
c.ServerApp.jpserver_extensions = {"swath_activity": True}
# Traffic of code-server is no activity: an open tab keeps its websockets alive for ever.
c.ServerProxy.update_last_activity = False
