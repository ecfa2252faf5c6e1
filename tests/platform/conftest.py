"""One installation for all of these tests: `swath up` in a state folder of its own, on free ports.

What can be made anew (programs, images) is kept in this machine's cache, so that only a first run builds it.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from playwright.sync_api import BrowserContext
from swath_sde.cluster._ports import own_port
from swath_sde.trust import Authority

sys.path.insert(0, str(Path(__file__).parent))  # for the modules that these tests share

from browsing import browser
from faults import LONG_AGO
from installation import GROUPS, USERS, Platform, environment_in, identity_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.conftest import Disk

    NewDisk = Callable[[Path, str], AbstractContextManager[Disk]]


@pytest.fixture
def session(platform: Platform, chromium: str, tmp_path: Path) -> Iterator[BrowserContext]:
    """Give a browser with a new profile that trusts the installation's authority."""
    with browser(tmp_path, platform.state / "trust" / "ca.crt", chromium) as context:
        yield context


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory, new_disk: "NewDisk") -> Iterator["Disk | None"]:
    """Give the installation a disk of its own, that can be filled; none where it is kept."""
    if os.environ.get("SWATH_TRIAL"):
        yield None
    else:
        with new_disk(tmp_path_factory.mktemp("platform") / "data", "60G") as made:
            yield made


@pytest.fixture(scope="session")
def platform(disk: "Disk | None") -> Iterator[Platform]:
    """Bring an installation up, and remove it with its data at the end.

    While tests are written, ``SWATH_TRIAL`` may name a folder in which an installation is kept.
    """
    kept = disk is None
    folder = Path(os.environ["SWATH_TRIAL"]) if disk is None else disk.folder.parent
    description = {
        "version": 1,
        "name": "trial",
        "domain": "trial.localhost",
        "where": {"kind": "embedded", "https_port": own_port(str(folder))},
        "components": {"hub": {"user_storage": "1Gi"}},
        "identity": identity_of(GROUPS, USERS),
    }
    file = folder / "swath.yaml"
    # One that is kept has its welcome repository already.
    words = ["up", "--no-tour"] if (folder / "data" / "swath" / "tour").is_dir() else ["up"]
    if file.is_file():
        description = yaml.safe_load(file.read_text())
    else:
        file.write_text(yaml.safe_dump(description))
    running = Platform(file, environment_in(folder), description)
    # An authority of two years ago: it has signed what is out of date today, and no clock is touched.
    running.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    Authority.at(running.state / "trust", name="Swath trial (trial.localhost)", now=LONG_AGO)
    try:
        done = running.swath(*words)
        sys.stdout.write(done.stdout)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
        yield running
    finally:
        if not kept:
            gone = running.swath("down", "--data", "--yes")
    assert kept or gone.returncode == 0, gone.stderr
