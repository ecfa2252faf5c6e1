"""Real images, built into the machine's own cache, and started where they need no cluster."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from swath_sde.configuration import Installation
from swath_sde.images import Built, build_images, catalogue
from swath_sde.images._buildah import Buildah
from swath_sde.places import cache_folder


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Give an installation with state of its own; what is built is kept in the machine's cache."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    home = tmp_path_factory.mktemp("home")
    (home / "cache").symlink_to(cache)
    before = os.environ.get("SWATH_HOME")
    os.environ["SWATH_HOME"] = str(home)
    yield Installation(name="image-tests")
    if before is None:
        del os.environ["SWATH_HOME"]
    else:
        os.environ["SWATH_HOME"] = before


@pytest.fixture(scope="session")
def built(installation: Installation) -> Callable[..., dict[str, Built]]:
    """Give the builds of images by name; what is there is kept."""
    return lambda *names: build_images(installation, names)


class Container:
    """A container of an image, without a cluster: buildah runs commands in it, with the machine's network."""

    def __init__(self, storage: Buildah, name: str) -> None:
        self._storage = storage
        self.name = name

    def command(self, *argv: str, volumes: Sequence[str] = ()) -> list[str]:
        options = [part for volume in volumes for part in ("--volume", volume)]
        return self._storage._command("run", "--isolation", "chroot", *options, self.name, "--", *argv)

    def run(self, *argv: str, volumes: Sequence[str] = ()) -> str:
        done = subprocess.run(
            self.command(*argv, volumes=volumes), capture_output=True, text=True, timeout=300, check=False
        )
        assert done.returncode == 0, f"{argv}: {done.stdout}\n{done.stderr}"
        return done.stdout

    @contextmanager
    def started(
        self, *argv: str, volumes: Sequence[str] = (), log: Path
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """Run a server while the block runs."""
        with log.open("wb") as target:
            server = subprocess.Popen(
                self.command(*argv, volumes=volumes), stdout=target, stderr=target, start_new_session=True
            )
            try:
                yield server
            finally:
                os.killpg(server.pid, 15)
                try:
                    server.wait(20)
                except subprocess.TimeoutExpired:
                    os.killpg(server.pid, 9)
                    server.wait()


@pytest.fixture
def container(built: Callable[..., dict[str, Built]]) -> Iterator[Callable[[str], Container]]:
    """Give containers of images, which are removed at the end."""
    storage = Buildah(suite="trixie")
    made = []

    def make(name: str) -> Container:
        built(name)
        working = subprocess.run(
            storage._command("from", "--pull=never", catalogue()[name].local),
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        made.append(working)
        return Container(storage, working)

    yield make
    for working in made:
        subprocess.run(storage._command("rm", working), check=True, capture_output=True)
