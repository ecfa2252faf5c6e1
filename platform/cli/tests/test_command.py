"""The swath command: verbs found by entry point, exit statuses, errors told for people."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType

import click
import pytest
import swath_cli
from click.testing import CliRunner
from swath_cli import VERB_GROUP, _verbs, main, swath

SWATH = Path(sys.executable).with_name("swath")


def status(*arguments: str) -> int:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert isinstance(stop.value.code, int)
    return stop.value.code


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Install one more verb, as a package with an entry point would."""

    def install(command: click.Command) -> None:
        metadata = tmp_path / "extra-1.0.dist-info"
        metadata.mkdir()
        (metadata / "entry_points.txt").write_text(
            f"[other]\nx = y:z\n\n[{VERB_GROUP}]\n{command.name} = extra:verb\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        extra = ModuleType("extra")
        extra.verb = command  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "extra", extra)
        monkeypatch.setattr(swath, "_found", None)

    return install


def test_help_lists_every_installed_verb_with_one_line() -> None:
    shown = CliRunner().invoke(swath, ["--help"])
    assert shown.exit_code == 0
    for entry in entry_points(group=VERB_GROUP):
        lines = [line for line in shown.output.splitlines() if line.strip().startswith(f"{entry.name} ")]
        assert len(lines) == 1
        assert len(lines[0].split()) > 2


@pytest.mark.parametrize(
    "arguments", [[], *([entry.name] for entry in entry_points(group=VERB_GROUP))], ids=" ".join
)
def test_no_line_of_a_list_of_commands_is_cut_off(arguments: list[str]) -> None:
    shown = CliRunner().invoke(swath, [*arguments, "--help"], terminal_width=80)
    listed = shown.output.partition("\nCommands:\n")[2]
    assert [line for line in listed.splitlines() if line.endswith("...")] == []


@pytest.mark.parametrize("name", sorted(entry.name for entry in entry_points(group=VERB_GROUP)))
def test_help_of_every_verb_shows_examples(name: str) -> None:
    shown = CliRunner().invoke(swath, [name, "--help"])
    assert shown.exit_code == 0
    assert f"swath {name}" in shown.output.split("Usage:", 1)[1].split("\n", 1)[1], "an example of a call"


def test_the_verbs_are_those_that_the_standard_library_finds() -> None:
    found = {entry.name: entry.value for entry in entry_points(group=VERB_GROUP)}
    assert dict(_verbs.entry_points(VERB_GROUP)) == found


def test_version_is_that_of_the_package() -> None:
    assert CliRunner().invoke(swath, ["--version"]).output.split()[0] == "swath"


def test_a_mistyped_verb_is_a_usage_error_with_a_guess(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("rnu") == 2
    assert "Did you mean 'run'?" in capsys.readouterr().err


def test_an_unknown_verb_names_those_that_are_here(capsys: pytest.CaptureFixture[str]) -> None:
    assert status("zzz") == 2
    assert "Verbs here: " in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error() -> None:
    assert status("--nonsense") == 2


@pytest.mark.parametrize("exit_status", [1, 2])
def test_an_expected_failure_is_told_without_a_traceback(verb, capsys, exit_status: int) -> None:
    class RefusedError(Exception):
        pass

    RefusedError.exit_status = exit_status  # type: ignore[attr-defined]

    @click.command()
    def refuse() -> None:
        error = RefusedError("the product is not a product")
        error.add_note("give the directory that holds manifest.safe")
        raise error

    verb(refuse)
    assert status("refuse") == exit_status
    told = capsys.readouterr().err
    assert told == "error: the product is not a product\n  give the directory that holds manifest.safe\n"


def test_a_defect_is_called_one_and_fails(verb, capsys) -> None:
    @click.command()
    def broken() -> None:
        raise ZeroDivisionError("by nought")

    verb(broken)
    assert status("broken") == 1
    assert "internal error: ZeroDivisionError: by nought" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_to_is_no_defect(verb, capsys) -> None:
    @click.command()
    def writes() -> None:
        raise PermissionError(errno.EACCES, "Permission denied", "/srv/state")

    verb(writes)
    assert status("writes") == 1
    assert capsys.readouterr().err == "error: /srv/state: Permission denied.\n"


@pytest.mark.parametrize("expected", [1, 2])
def test_debugging_shows_the_traceback_and_leaves_the_exit_status(
    verb, monkeypatch, capsys, expected
) -> None:
    @click.command()
    def broken() -> None:
        error = ZeroDivisionError("by nought")
        error.exit_status = expected  # type: ignore[attr-defined] # as errors of packages carry it
        raise error

    verb(broken)
    monkeypatch.setenv("SWATH_DEBUG", "1")
    assert status("broken") == expected
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_a_verb_may_return_its_exit_status(verb) -> None:
    @click.command()
    def changes() -> int:
        return 3

    verb(changes)
    assert status("changes") == 3


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interruption_exits_with_130(sent: signal.Signals) -> None:
    program = textwrap.dedent("""
        import click, time, swath_cli
        @click.command()
        def wait():
            print("waiting", flush=True)
            time.sleep(60)
        swath_cli.swath._found = {"wait": "__main__:wait"}
        swath_cli.main(["wait"])
    """)
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        process.send_signal(sent)
        _, told = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in told


def test_an_error_of_clearing_up_after_an_interruption_is_no_defect(verb, capsys) -> None:
    @click.command()
    def clears() -> None:
        try:
            raise KeyboardInterrupt
        finally:
            raise OSError("Bad file descriptor")

    verb(clears)
    assert status("clears") == 130
    assert capsys.readouterr().err.strip() == "interrupted"


def test_a_closed_pipe_ends_quietly() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([SWATH, "--help"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


def test_help_loads_nothing_heavy() -> None:
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", SWATH, "--help"], capture_output=True, text=True, check=True
    ).stderr
    modules = {line.rsplit("|", 1)[-1].strip().split(".")[0] for line in loaded.splitlines()}
    heavy = {
        "numpy",
        "xarray",
        "dask",
        "zarr",
        "rasterio",
        "pydantic",
        "lxml",
        "rich",
        "copier",
        "yaml",
        "distributed",
    }
    assert not modules & heavy


def test_help_costs_little_more_than_the_library_of_the_command_line() -> None:
    """Side by side in one run, the best of several each: the aim is 1.5, the margin is for a busy machine."""
    import resource

    def used() -> float:
        times = resource.getrusage(resource.RUSAGE_CHILDREN)
        return times.ru_utime + times.ru_stime

    def best(*command: str | Path) -> float:
        """Return the processor time of a command: what else the machine does counts less in it."""
        seconds = []
        for _ in range(15):
            before = used()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            seconds.append(used() - before)
        return min(seconds)

    library = best(sys.executable, "-c", "import click")
    ratio = best(SWATH, "--help") / library
    print(f"swath --help takes {ratio:.2f} x of import click")
    assert ratio < 2


def test_the_public_surface_is_as_written_here() -> None:
    assert swath_cli.__all__ == ["VERB_GROUP", "Verbs", "main", "swath"]


def test_the_verb_of_the_checkouts_script_alone_is_told_where_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert status("test") == 2
    assert "./swath test" in capsys.readouterr().err
