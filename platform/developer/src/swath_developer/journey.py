"""A processor's whole life on this machine, part by part; the verb ``tour``."""

import json
import os
import shlex
import shutil
import sys
from hashlib import sha256
from pathlib import Path

import click
from uv import find_uv_bin

from swath_developer._logbook import SWATH, Logbook, shown_command
from swath_developer._process import git, outcome
from swath_developer.errors import BadInputError, DeveloperError
from swath_developer.places import checkout, data_folder, typed
from swath_developer.wheels import wheel_folder

REPOSITORY = "my-processor"
"""Name of the repository that the tour scaffolds."""

SCENE_SIZE = "2196"
"""Size of the simulated scene in pixels of 10 m: a fifth of a tile each way, nine codec tiles a band."""


def travel(directory: Path | None, *, product: Path | None, fresh: bool) -> None:
    """Take the tour, leaving out the parts that are right already.

    Parameters
    ----------
    directory
        Where everything is made; by default ``tour`` in the data folder.
    product
        Sentinel-2 level-1C product to work on; by default a real sample, else a simulated scene.
    fresh
        Whether to do every part anew.

    Raises
    ------
    BadInputError
        If the directory holds something other than a tour.
    DeveloperError
        If a part fails; the parts before it are kept.
    """
    directory = (directory or data_folder() / "tour").absolute()
    logbook = _open(directory, fresh=fresh)
    repository = directory / REPOSITORY
    click.echo(f"The life of a processor, in {directory}")

    logbook.part(
        "Scaffold a processor repository",
        "The template gives a step, a processor, tests, docs and a pipeline that pass as they are.",
        made=repository,
        key=REPOSITORY,  # a repository that is there belongs to its developer: a newer template is no reason
        do=lambda: _scaffold(repository),
    )
    wheels = wheel_folder()
    components = sorted((checkout() / "ci" / "templates").glob("*/template.yml"))
    code = _fingerprint(_state(repository), wheels, *map(_contents, components))
    logbook.part(
        "Run its GitLab pipeline here",
        "The same jobs that GitLab runs after a push, from the same component files.",
        made=repository / ".swath" / "ci",
        key=code,
        do=lambda: shown_command(SWATH, "ci", repository),
    )
    scene = product.absolute() if product else _sample()
    if scene is None:
        scenes = directory / "scenes"
        simulate: list[str | Path] = [
            SWATH,
            "samples",
            "simulate",
            "s2-l1c",
            scenes,
            "--size",
            SCENE_SIZE,
            "--overwrite",
        ]
        logbook.part(
            "Simulate a product to work on",
            "No real product is at hand (SWATH_SAMPLES), so a scene is made, labelled as simulated.",
            made=scenes,
            key=SCENE_SIZE,
            do=lambda: shown_command(*simulate),
        )
        (scene,) = scenes.glob("*.SAFE")
    environment = repository / ".venv"
    logbook.part(
        "Install the processor",
        "Into an environment of the repository's own, from its hashed lock.",
        made=environment,
        key=_fingerprint(_contents(repository / "requirements-dev.lock"), wheels),
        do=lambda: _install(repository, environment, wheels),
    )
    processor = _processor(environment)
    run: list[str | Path] = [environment / "bin" / "swath", "run", processor, scene]
    key = _fingerprint(code, str(scene), *map(str, _identity(scene)))
    whole, part = directory / "products" / "whole", directory / "products" / "window"
    whole.parent.mkdir(exist_ok=True)
    logbook.part(
        "Run the processor on the whole product",
        f"From {scene.name}; the output appears complete or not at all.",
        made=whole,
        key=key,
        do=lambda: shown_command(*run, whole, "--overwrite"),
    )
    window = _window(whole)
    logbook.part(
        "Run it on one window",
        "On demand: only the chunks that the window needs are read.",
        made=part,
        key=_fingerprint(key, window),
        do=lambda: shown_command(*run, part, "--window", window, "--overwrite"),
    )
    _summarise(logbook, whole=whole, window=part, scene=scene, repository=repository, processor=processor)


def _open(directory: Path, *, fresh: bool) -> Logbook:
    """Open the tour of a directory, or begin one."""
    begun = (directory / Logbook.NAME).is_file()
    if directory.exists() and not begun and any(directory.iterdir()):
        raise BadInputError(f"{directory} exists and holds no tour. Name an empty or a new directory.")
    if begun and fresh:  # only what a tour makes: whatever else somebody has put there stays
        for name in (REPOSITORY, "scenes", "products"):
            shutil.rmtree(directory / name, ignore_errors=True)
        (directory / Logbook.NAME).unlink()
    try:
        directory.mkdir(parents=True, exist_ok=True)
        return Logbook(directory)
    except OSError as error:
        raise BadInputError(f"{directory} cannot be written to: {error.strerror}.") from error


def _scaffold(repository: Path) -> None:
    """Scaffold the repository; one that is there is whole, and was made just before an interruption."""
    if not (repository / ".copier-answers.yml").is_file():
        shown_command(SWATH, "new", "processor", repository, "--defaults")


def _sample() -> Path | None:
    """Return a real Sentinel-2 level-1C product of this machine, if there is one."""
    named = os.environ.get("SWATH_SAMPLES")
    folder = Path(named) if named else checkout().parent / "shared" / "samples"
    return next(iter(sorted((folder / "s2").glob("S2?_MSIL1C_*.zip"))), None)


def _install(repository: Path, environment: Path, wheels: str) -> None:
    """Make the repository's environment as its README says."""
    uv = find_uv_bin()
    python = environment / "bin" / "python"
    shown_command(uv, "venv", "--quiet", "--clear", "--python", sys.executable, environment)
    lock = repository / "requirements-dev.lock"
    shown_command(uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", lock)
    search = (
        f"{environment / 'bin'}{os.pathsep}{Path(uv).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    )
    shown_command(
        repository / "tools" / "install",
        folder=repository,
        environment={"SWATH_WHEELS": wheels, "VIRTUAL_ENV": str(environment), "PATH": search},
    )


def _processor(environment: Path) -> str:
    """Return the name of the processor that the repository brings."""
    listed = outcome([environment / "bin" / "swath", "run", "--list", "--json"])
    if listed.returncode:
        raise DeveloperError(f"The repository's environment does not work:\n{listed.stderr.strip()}")
    (name, *_) = (entry["name"] for entry in json.loads(listed.stdout))
    return str(name)


def _window(whole: Path) -> str:
    """Return the window of the output's middle, half as high and half as wide."""
    rows, columns = json.loads((whole / "report.json").read_text())["plan"]["grid"]["shape"]
    return f"rows {rows // 4}:{rows * 3 // 4}, columns {columns // 4}:{columns * 3 // 4}"


def _state(repository: Path) -> str:
    """Return a hash of the repository's tracked files as they are, and of the names of the others."""
    told = [
        git(repository, *arguments).stdout
        for arguments in (["rev-parse", "HEAD"], ["diff", "HEAD"], ["status", "--porcelain"])
    ]
    return _fingerprint(*told)


def _identity(product: Path) -> tuple[int, int]:
    """Return what changes when a product is replaced: its time of change and its size."""
    status = product.stat()
    return status.st_mtime_ns, status.st_size


def _contents(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def _fingerprint(*texts: str) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()[:16]


def _summarise(
    logbook: Logbook, *, whole: Path, window: Path, scene: Path, repository: Path, processor: str
) -> None:
    """Say what was made, where, how long each part took, and what to try next."""
    click.secho("\nWhat was made", bold=True)
    rows = [(part.title, part.seconds, part.made) for part in logbook.parts]
    if "SWATH_SETUP_SECONDS" in os.environ:
        rows.insert(0, ("Set this checkout up", float(os.environ["SWATH_SETUP_SECONDS"]), sys.prefix))
    width = max(len(title) for title, _, _ in rows)
    for title, seconds, made in rows:
        click.echo(f"  {title:{width}}  {seconds:6.1f} s  {made}")
    reads = [json.loads((folder / "report.json").read_text())["read"] for folder in (whole, window)]
    for title, read in zip(("whole", "window"), reads, strict=True):
        click.echo(f"  read for the {title}: {read['chunks']} chunks, {read['bytes'] / 1e6:.3f} MB")
    if reads[0]["chunks"] == reads[1]["chunks"]:
        click.echo("  (this product is so small that each band is one chunk: a window cannot leave any out)")
    click.echo(f"  picture: {whole / 'quicklook.png'}")
    click.secho("\nNext", bold=True)
    swath = repository / ".venv" / "bin" / "swath"
    for command, meaning in (
        (typed("info", whole), "what is in the product"),
        (shlex.join([str(swath), "run", processor, str(scene), "--plan"]), "what a run would read"),
        (typed("run", "--list"), "the processors that come with Swath"),
        (f"$EDITOR {shlex.quote(str(repository / 'src'))}", "change the step, then:"),
        (typed("ci", repository), "run the pipeline again"),
    ):
        click.echo(f"  {command}    # {meaning}")
