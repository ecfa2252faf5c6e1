"""What builds refuse before anything is begun, the command line of buildah, records and locks."""

import os
import shutil
import threading
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from swath_sde.changes import Action
from swath_sde.configuration import Installation
from swath_sde.errors import ConfigurationError
from swath_sde.images import (
    BuildError,
    Built,
    MissingProgramError,
    NoSpaceError,
    Records,
    _programs,
    build_images,
    catalogue,
    plan_images,
)
from swath_sde.images._apt import package_sources
from swath_sde.images._build import check_room
from swath_sde.images._buildah import Buildah
from swath_sde.images._programs import end_programs, logged
from swath_sde.images._records import building


def test_refuses_an_unknown_image_before_anything_else(small: Path) -> None:
    with pytest.raises(ConfigurationError, match="no image 'hub'"):
        build_images(Installation(), ["hub"])


def test_refuses_without_buildah_and_says_what_to_install(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(small))
    with pytest.raises(MissingProgramError, match=r"buildah is not on PATH.*apt-get install buildah"):
        build_images(Installation(), ["base"])


@pytest.mark.parametrize("builder", ["kaniko", "buildkit"])
def test_refuses_builders_that_are_not_for_this_machine(small: Path, builder: str) -> None:
    installation = Installation.model_validate({"images": {"builder": builder}})
    with pytest.raises(ConfigurationError, match=rf"images\.builder: {builder}"):
        build_images(installation)


def test_refuses_a_full_disk_with_numbers(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 -- the shape of shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(100 << 30, 99 << 30, 1 << 30))
    with pytest.raises(NoSpaceError, match=r"1\.0 GiB free, but 4 builds need 9\.0 GiB"):
        check_room(4)
    check_room(0)


def test_a_plan_needs_no_program_that_is_yet_to_be_installed(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(small))
    assert [change.action for change in plan_images(Installation())] == [Action.CREATE, Action.CREATE]


def test_a_build_takes_nothing_from_the_network_by_itself_and_is_deterministic(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "buildah").touch(0o755)  # only its command line is made here
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    image = catalogue()["hub"]
    context = Path("/contexts/hub")
    command = Buildah(suite="trixie").command(
        image, context, apt=Path("/apt"), parents={"BASE": "localhost/swath/base:01"}
    )
    text = " ".join(command)
    assert "--pull=never" in text
    assert "--isolation chroot" in text
    assert "--timestamp 1767225600" in text
    assert "--volume /apt:/run/swath/apt:ro" in text
    assert "--build-arg BASE=localhost/swath/base:01" in text
    assert command[-3:] == ["--tag", f"localhost/swath/hub:{image.tag}", str(context)]


def test_a_failed_step_is_told_with_the_last_lines_and_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    script = "echo 'STEP 3/4: RUN make'; seq 100; echo 'no rule to make target' >&2; exit 7"
    with pytest.raises(BuildError) as caught:
        logged(["sh", "-c", script], step="the build of hub", log=log)
    told = str(caught.value)
    assert "the build of hub failed at STEP 3/4: RUN make (exit status 7)" in told
    assert str(log) in told
    assert told.endswith("no rule to make target")
    assert "  50\n" not in told
    assert "50\n" in log.read_text()


def test_records_are_kept_and_added_to(home: Path) -> None:
    first = Built(name="base", tag="01", reference="r/base:01")
    Records("one").add(first)
    Records("one").add(Built(name="hub", tag="02", reference="r/hub:02", digest="sha256:00"))
    assert Records("one").read()["base"] == first
    assert set(Records("one").read()) == {"base", "hub"}
    assert Records("other").read() == {}


def test_two_builds_of_one_image_wait_for_each_other(tmp_path: Path) -> None:
    order = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with building("hub", tmp_path) as waited:
            order.append(("second", waited))

    with building("hub", tmp_path) as waited:
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait()
        thread.join(0.2)
        order.append(("first", waited))
    thread.join()
    assert order == [("first", False), ("second", True)]


def test_package_sources_may_be_given_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "given"
    (given / "sources.list.d").mkdir(parents=True)
    (given / "sources.list.d" / "site.sources").write_text("Types: deb\n")
    monkeypatch.setenv("SWATH_APT", str(given))
    made = package_sources(tmp_path / "made", suite="trixie")
    assert (made / "sources.list.d" / "site.sources").read_text() == "Types: deb\n"


def test_a_build_of_another_process_is_not_waited_for_once_stopped(tmp_path: Path) -> None:
    stopped = threading.Event()
    with building("hub", tmp_path):
        stopped.set()
        with (
            pytest.raises(BuildError, match="hub is being built by another process"),
            building("hub", tmp_path, stopped),
        ):
            pass


@pytest.mark.parametrize("trap", ["", "trap 'sleep 0.3; echo cleared; exit 1' TERM; "])
def test_programs_of_other_threads_are_ended_and_may_clear_up(tmp_path: Path, trap: str) -> None:
    log = tmp_path / "log"

    def build() -> None:
        with pytest.raises(BuildError, match="the build of hub failed"):
            logged(
                ["sh", "-c", f"{trap}echo begun; while :; do sleep 0.1; done"],
                step="the build of hub",
                log=log,
            )

    with ThreadPoolExecutor(1) as pool:
        building_it = pool.submit(build)
        while not log.exists() or "\nbegun" not in log.read_text():
            assert not building_it.done()
        end_programs(lambda seconds: not wait([building_it], timeout=seconds).not_done)
        building_it.result()
    assert ("cleared" in log.read_text().splitlines()) is bool(trap)


def test_a_program_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_programs, "_GRACE", 0.0)
    log = tmp_path / "log"
    script = "trap '' TERM; echo begun; while :; do sleep 0.1; done"
    with ThreadPoolExecutor(1) as pool:
        building_it = pool.submit(logged, ["sh", "-c", script], step="the build of hub", log=log)
        while not log.exists() or "\nbegun" not in log.read_text():
            assert not building_it.done()
        end_programs(lambda seconds: not wait([building_it], timeout=seconds).not_done)
        with pytest.raises(BuildError, match="exit status -9"):
            building_it.result()


def test_nothing_of_a_program_outlives_it(tmp_path: Path) -> None:
    log = tmp_path / "log"
    logged(["sh", "-c", "sleep 1000 & echo $!"], step="the build of hub", log=log)
    left = int(log.read_text().splitlines()[-1])
    until = time.monotonic() + 30
    while Path(f"/proc/{left}/stat").exists() and " Z " not in Path(f"/proc/{left}/stat").read_text():
        assert time.monotonic() < until
        time.sleep(0.05)
