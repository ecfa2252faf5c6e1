"""Building images: what is needed, in order, two at a time; what is finished is kept."""

from __future__ import annotations

import shutil
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from swath_sde.changes import Action, Change
from swath_sde.images._builder import builder_of
from swath_sde.images._catalogue import catalogue, selected
from swath_sde.images._errors import BuildError, NoSpaceError
from swath_sde.images._programs import end_programs
from swath_sde.images._reasons import reason_in
from swath_sde.images._records import Built, Records, building
from swath_sde.images._sbom import bill_of_materials
from swath_sde.images._sources import assemble, images_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from swath_sde.configuration import Installation
    from swath_sde.images._builder import Builder
    from swath_sde.images._catalogue import Image

AT_ONCE = 2
"""Builds that run at the same time."""

_ROOM = 3 << 30
"""Bytes of disk that a build may take for a while, its context and layers together."""

_GUESSES = {"base": 30, "code-server": 240, "workspace-base": 150, "keycloak": 60, "hub": 60}
"""Seconds that a build takes on two cores where none has been seen yet; half a minute for all others."""

_PULSE = 30.0
"""Seconds after which a build that goes on is told again, with the time that is left by then."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a build tells while it goes on."""

    image: str
    """Name of the image."""
    state: str
    """``kept`` (was there), ``started``, ``building`` still, ``finished``, or ``stopped``: interrupted."""
    done: int
    """Images that are there."""
    total: int
    """Images that are wanted."""
    left: float
    """Seconds that are left, as far as earlier builds tell; 0 where nothing is to be waited for."""


def plan_images(installation: Installation, names: Iterable[str] = ()) -> list[Change]:
    """Return what ``build_images`` would do, without doing any of it."""
    images = catalogue()
    builder = builder_of(installation, suite=_suite(images))
    built = Records(installation.name).read()
    changes = []
    for image in selected(images, names):
        before = built.get(image.name)
        if builder.has(image):
            changes.append(Change("image", image.name, Action.NONE))
        elif before is None:
            changes.append(Change("image", image.name, Action.CREATE, (f"tag: {image.tag}",)))
        else:
            details = (f"tag: {before.tag} → {image.tag}",)
            changes.append(Change("image", image.name, Action.UPDATE, details))
    return changes


def build_images(
    installation: Installation,
    names: Iterable[str] = (),
    progress: Callable[[Step], None] | None = None,
    *,
    again: bool = False,
) -> dict[str, Built]:
    """Build images and all that they stand on; what has been built from the same files is kept.

    Parameters
    ----------
    installation
        Whose images these are: its state folder gets records, logs and bills of materials.
    names
        Images to build; by default all.
    progress
        Called with each step, and each half minute between, from the thread that called this.
    again
        Whether to build also what is there: for newer Debian packages, which no tag follows from.

    Returns
    -------
    dict
        What was built or kept, by name.

    Raises
    ------
    ConfigurationError
        Before anything is begun: an unknown image, a missing program, a disk that is too full.
    BuildError
        If a build fails; others that were under way end first, and what is finished is kept.
    KeyboardInterrupt
        After what was under way has been stopped and cleared up; what is finished is kept.
    """
    images = catalogue()
    wanted = selected(images, names)
    builder = builder_of(installation, suite=_suite(images))
    builder.check()
    records = Records(installation.name)
    missing = [image for image in wanted if again or not builder.has(image)]
    check_room(len(missing))
    work = _Work(
        installation,
        builder=builder,
        records=records,
        images=images,
        wanted=wanted,
        missing=missing,
        again=again,
    )
    try:
        return work.run(progress or (lambda _: None))
    except OSError as error:  # of our own files; what the programs say is told by the builder
        if told := reason_in([str(error)]):
            raise BuildError(f"{error}. {told}") from None
        raise


def check_room(builds: int) -> None:
    """Refuse where the disk has not the room for so many builds.

    Raises
    ------
    NoSpaceError
        With what there is and what is needed.
    """
    needed = builds * _ROOM // 2 + (_ROOM if builds else 0)
    free = shutil.disk_usage(images_folder()).free
    if free < needed:
        raise NoSpaceError(
            f"{images_folder()} has {free / 2**30:.1f} GiB free, but {builds} builds need "
            f"{needed / 2**30:.1f} GiB: free some with `swath image prune`, or "
            "set SWATH_HOME to a larger disk"
        )


def _of(built: Built) -> str:
    """Return the reference of an image by tag: with another registry it is another one."""
    return built.reference.partition("@")[0]


def _suite(images: Mapping[str, Image]) -> str:
    """Return the Debian suite of all images: that of the one that others stand on."""
    (suite,) = {image.rootfs for image in images.values() if image.rootfs}
    return suite


class _Work:
    """One call's builds."""

    def __init__(
        self,
        installation: Installation,
        *,
        builder: Builder,
        records: Records,
        images: Mapping[str, Image],
        wanted: Sequence[Image],
        missing: Sequence[Image],
        again: bool,
    ) -> None:
        self._installation = installation
        self._builder = builder
        self._records = records
        self._images = images
        self._wanted = wanted
        self._missing = {image.name for image in missing}
        self._again = again
        self._before = records.read()
        self._done: dict[str, Built] = {}
        self._since: dict[str, float] = {}
        self._stopped = threading.Event()

    def run(self, progress: Callable[[Step], None]) -> dict[str, Built]:
        waiting = {image.name: image for image in self._wanted}
        running: dict[Future[Built], str] = {}
        with ThreadPoolExecutor(AT_ONCE) as pool:
            try:
                while waiting or running:
                    for name, image in list(waiting.items()):
                        if len(running) < AT_ONCE and all(p in self._done for p in image.parents.values()):
                            del waiting[name]
                            self._since[name] = time.monotonic()
                            if name in self._missing:
                                progress(self._step(name, "started"))
                            running[pool.submit(self._one, image)] = name
                    finished, _ = wait(running, timeout=_PULSE, return_when=FIRST_COMPLETED)
                    slow = [name for name in running.values() if name in self._missing]
                    if slow and not finished:
                        progress(self._step(" and ".join(slow), "building"))
                    for future in finished:
                        name = running.pop(future)
                        self._done[name] = future.result()
                        progress(self._step(name, "finished" if name in self._missing else "kept"))
            except BaseException as error:
                pool.shutdown(wait=False, cancel_futures=True)
                under_way = {future: name for future, name in running.items() if not future.cancelled()}
                if not isinstance(error, Exception):  # interrupted: who asked for that does not want to wait
                    self._stop(under_way, progress)
                wait(under_way)  # else those under way end, and are kept
                for future, name in under_way.items():
                    if future.exception() is None:
                        self._done[name] = future.result()
                raise
        return {image.name: self._done[image.name] for image in self._wanted}

    def _stop(self, under_way: Mapping[Future[Built], str], progress: Callable[[Step], None]) -> None:
        self._stopped.set()
        try:
            for future, name in under_way.items():
                if not future.done():
                    progress(replace(self._step(name, "stopped"), left=0))
        finally:  # also where nobody listens any more
            end_programs(lambda seconds: not wait(under_way, timeout=seconds).not_done)

    def _one(self, image: Image) -> Built:
        """Build one image, unless it is there; two processes never build the same at once."""
        with building(image.name, images_folder() / "locks", self._stopped) as waited:
            # Another process may have built it since this one has begun, and has then told of it too.
            before = self._records.read().get(image.name)
            if self._builder.has(image) and (waited or not self._again):
                fresh = self._built(image, 0.0, 0.0)
                built = before if before and _of(before) == _of(fresh) else fresh
            else:
                built = self._build(image)
            if not self._records.sbom(image).is_file() or built is not before:
                with self._builder.mounted(image) as root:
                    self._records.sbom(image).write_text(bill_of_materials(image, root), encoding="utf-8")
            self._records.add(built)
        return built

    def _build(self, image: Image) -> Built:
        begin = time.monotonic()
        log = self._records.log(image)
        log.unlink(missing_ok=True)
        context = images_folder() / "contexts" / f"{image.name}-{image.tag}"
        context.parent.mkdir(exist_ok=True)
        shutil.rmtree(context, ignore_errors=True)  # what an interruption has left
        try:
            parents = {argument: self._images[name].local for argument, name in image.parents.items()}
            cpu = assemble(image, context, log=log)
            cpu += self._builder.build(image, context, parents=parents, log=log)
        finally:
            shutil.rmtree(context, ignore_errors=True)
        return self._built(image, time.monotonic() - begin, cpu)

    def _built(self, image: Image, seconds: float, cpu: float) -> Built:
        return Built(
            name=image.name,
            tag=image.tag,
            reference=f"{self._installation.image_registry}/{image.name}:{image.tag}",
            size=self._builder.size(image),
            seconds=round(seconds, 1),
            cpu_seconds=round(cpu, 1),
        )

    def _step(self, name: str, state: str) -> Step:
        expected = {
            image.name: self._expected(image.name)
            for image in self._wanted
            if image.name in self._missing and image.name not in self._done
        }
        # Two at a time, but never sooner than one chain of images, each on the one before.
        chains = [sum(expected.get(each, 0) for each in self._chain(image)) for image in self._wanted]
        left = max([sum(expected.values()) / AT_ONCE, *chains])
        return Step(image=name, state=state, done=len(self._done), total=len(self._wanted), left=left)

    def _expected(self, name: str) -> float:
        before = self._before.get(name)
        whole = before.seconds if before and before.seconds else _GUESSES.get(name, 30)
        passed = time.monotonic() - self._since[name] if name in self._since else 0
        return max(whole - passed, whole / 10)  # what takes longer than expected is not done at once

    def _chain(self, image: Image) -> list[str]:
        chains = [self._chain(self._images[parent]) for parent in image.parents.values()]
        return [image.name, *max(chains, key=lambda chain: sum(map(self._expected, chain)), default=[])]
