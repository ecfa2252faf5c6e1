"""Programs of Go modules, compiled on this machine for an image: what its ``go.mod`` names as tools."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path

from swath_sde.golang import GO_ENVIRONMENT, find_go
from swath_sde.images._errors import MissingProgramError
from swath_sde.images._programs import logged
from swath_sde.places import made_whole


def go_programs(module: Path, folder: Path, *, log: Path) -> float:
    """Compile the tools of a Go module into a folder, if that is not there. Returns CPU seconds.

    Each module is fetched as the machine has Go configured, and checked against ``go.sum``.

    Raises
    ------
    MissingProgramError
        If Go is missing.
    BuildError
        If it is too old, a module is not what it was, or the compiler fails.
    """
    if folder.is_dir():
        return 0.0
    go = find_go()
    if go is None:
        least = re.search(r"^go (\S+)", (module / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
        raise MissingProgramError(
            f"go is not on PATH: the programs of the image {module.name} are compiled with it. Install Go "
            f"{least[1] if least else ''} or newer"
        )
    environment = {**os.environ, **GO_ENVIRONMENT}
    with made_whole(folder) as partial, tempfile.TemporaryDirectory(prefix="swath-go-") as work:
        for name in ("go.mod", "go.sum"):  # nothing else of the image's folder is a source of theirs
            shutil.copy(module / name, work)
        command = [go, "build", "-trimpath", "-ldflags=-s -w", "-o", f"{partial}/", "tool"]
        return logged(
            command,
            step=f"the compilation of the Go programs of {module.name}",
            log=log,
            folder=Path(work),
            environment=environment,
        )
