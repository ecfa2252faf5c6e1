"""The machine's own Go, and how programs are compiled with it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GO_ENVIRONMENT", "find_go"]

_FOLDERS: Final = "/usr/local/go/bin:/usr/lib/go/bin"
"""Where Go is installed without being on PATH, as under sudo."""

GO_ENVIRONMENT: Final[Mapping[str, str]] = {
    "CGO_ENABLED": "0",
    "GOFLAGS": "-mod=readonly -buildvcs=false",
    "GOTOOLCHAIN": "local",
    "GOWORK": "off",
}
"""Static programs, exactly the modules of go.mod, and this Go: nothing is fetched to replace it.

GOPROXY, GOSUMDB and the like stay as the machine has them.
"""


def find_go() -> str | None:
    """Return the path of Go, None where there is none."""
    return shutil.which("go") or shutil.which("go", path=_FOLDERS)
