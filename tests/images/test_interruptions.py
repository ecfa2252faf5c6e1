"""Builds that fail, go on, or meet another: on a small image that stands on the real base."""

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from swath_sde.configuration import Installation
from swath_sde.errors import PlatformError
from swath_sde.images import BuildError, NoSpaceError, Records, build_images, catalogue, prune_images
from swath_sde.images._sources import images_folder
from swath_sde.places import checkout

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from tests.conftest import Disk

    NewDisk = Callable[[Path, str], AbstractContextManager[Disk]]

RECIPE = "ARG BASE\nFROM ${BASE}\nUSER 0:0\nRUN %s\nUSER 1000:1000\n"


@pytest.fixture
def small(installation: Installation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give the Dockerfile of the one image `small` of a checkout that shares its base with this one."""
    real = checkout()
    root = tmp_path / "checkout"
    shutil.copytree(real / "platform" / "images" / "base", root / "platform" / "images" / "base")
    (root / "ci" / "templates").mkdir(parents=True)
    (root / "copier.yml").touch()
    shutil.copytree(real / "requirements", root / "requirements")
    entries = (real / "platform" / "images" / "catalogue.yaml").read_text().split("haproxy:")[0]
    small = "small: {title: a small one, parents: {BASE: base}}\n"
    (root / "platform" / "images" / "catalogue.yaml").write_text(entries + small)
    (root / "platform" / "images" / "small").mkdir()
    tag = catalogue()["base"].tag
    monkeypatch.setenv("SWATH_CHECKOUT", str(root))
    yield root / "platform" / "images" / "small" / "Dockerfile"
    assert catalogue()["base"].tag == tag
    monkeypatch.undo()
    # What this test has built is older than what the checkout has, so it goes. Nothing else may.
    from swath_sde.images._buildah import Buildah

    builder = Buildah(suite="trixie")
    for local in builder.tags():
        if "/small:" in local:
            builder.remove(local)


def test_a_failed_build_keeps_its_log_and_what_was_finished_and_goes_on(
    installation: Installation, small: Path
) -> None:
    small.write_text(RECIPE % "echo about to fail && /no/such/program")
    with pytest.raises(BuildError, match=r"the build of small failed at .*no/such/program") as caught:
        build_images(installation, ["small"])
    log = Records(installation.name).log(catalogue()["small"])
    assert str(log) in str(caught.value)
    assert "about to fail" in log.read_text()
    assert "base" in Records(installation.name).read()
    small.write_text(RECIPE % "echo well > /made")
    told: list[str] = []
    build_images(installation, ["small"], lambda step: told.append(f"{step.image} {step.state}"))
    assert told == ["base kept", "small started", "small finished"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_stops_the_builds_under_way_and_leaves_nothing(
    installation: Installation, small: Path, tmp_path: Path, sent: signal.Signals
) -> None:
    small.write_text(RECIPE % f"touch /begun-{sent.name} && sleep 1000")
    (tmp_path / "swath.yaml").write_text(f"name: {installation.name}\n")
    build_images(installation, ["base"])
    log = Records(installation.name).log(catalogue()["small"])
    command = [Path(sys.executable).with_name("swath"), "image", "build", "small"]
    running = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    while not log.is_file() or "STEP 3/" not in log.read_text():
        assert running.poll() is None
        time.sleep(0.2)
    running.send_signal(sent)  # to it alone, as a service manager does
    told = running.communicate(timeout=300)[0]
    assert running.returncode == 130, told
    assert "small stopped" in told
    sleeping = ["pgrep", "--full", "^sleep 1000$"]
    assert subprocess.run(sleeping, capture_output=True, check=False).returncode == 1
    assert not list((images_folder() / "contexts").glob("small-*"))
    small.write_text(RECIPE % f"touch /made-{sent.name}")
    assert build_images(installation, ["small"])["small"].size


def test_two_builds_at_once_build_once(installation: Installation, small: Path, tmp_path: Path) -> None:
    small.write_text(RECIPE % "sleep 2 && date +%N > /made")
    build_images(installation, ["base"])
    script = (
        "from swath_sde.configuration import Installation\n"
        "from swath_sde.images import build_images\n"
        "print(build_images(Installation(name='image-tests'), ['small'])['small'].seconds)\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", script], env=os.environ, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    seconds = {float(process.communicate()[0]) for process in running}
    assert [process.returncode for process in running] == [0, 0]
    # One has built it, and the other was given what that one has made.
    log = Records(installation.name).log(catalogue()["small"]).read_text()
    assert log.count("Successfully tagged") == 1
    assert len(seconds) == 1


@pytest.mark.parametrize("leave", [0, 64 << 20])  # the context has no room; it has, but the layer has not
def test_a_disk_that_fills_up_during_a_build_is_told_and_the_same_build_goes_on(
    leave: int, new_disk: "NewDisk", tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = checkout()
    root = tmp_path / "checkout"
    recipe = root / "platform" / "images" / "alone"
    recipe.mkdir(parents=True)
    (root / "ci" / "templates").mkdir(parents=True)
    (root / "copier.yml").touch()
    entries = (real / "platform" / "images" / "catalogue.yaml").read_text().split("haproxy:")[0]
    (recipe.parent / "catalogue.yaml").write_text(f"{entries}alone: {{title: one that stands on nothing}}\n")
    shutil.copytree(real / "platform" / "images" / "base", recipe.parent / "base")
    with tarfile.open(recipe / "zeros.tar.gz", "w:gz") as archive:  # small, but 256 MiB once unpacked
        about = tarfile.TarInfo("zeros")
        about.size = 256 << 20
        with Path("/dev/zero").open("rb") as zeros:
            archive.addfile(about, zeros)
    (recipe / "Dockerfile").write_text("FROM scratch\nADD zeros.tar.gz /\nUSER 1000:1000\n")
    with new_disk(tmp_path / "disk", "12G") as disk:
        monkeypatch.setenv("SWATH_CHECKOUT", str(root))
        monkeypatch.setenv("SWATH_HOME", str(disk.folder))
        own = Installation(name="full-disk")
        with pytest.raises(PlatformError) as caught:
            build_images(own, ["alone"], lambda _: disk.fill(leave=leave))
        assert "The disk is full: `swath image prune` makes room" in str(caught.value)
        with pytest.raises(NoSpaceError, match="GiB free, but 1 builds need"):
            build_images(own, ["alone"])
        disk.make_room()
        assert build_images(own, ["alone"])["alone"].size >= 256 << 20
        told: list[str] = []
        build_images(own, ["alone"], lambda step: told.append(step.state))
        assert told == ["kept"]


def test_prune_removes_what_no_file_has_any_more(installation: Installation, small: Path) -> None:
    small.write_text(RECIPE % "echo first > /made")
    build_images(installation, ["small"])
    first = catalogue()["small"]
    small.write_text(RECIPE % "echo second > /made")
    build_images(installation, ["small"])
    gone = [
        change.name for change in prune_images(installation, dry_run=True) if change.kind == "built image"
    ]
    assert first.local in gone
    assert catalogue()["small"].local not in gone
    assert catalogue()["base"].local not in gone
