"""The entry of the ``swath`` script: exit statuses and the way errors are told."""

import contextlib
import errno
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import click

from swath_cli._verbs import Verbs

DONE, FAILED, USAGE, CHANGES, INTERRUPTED = 0, 1, 2, 3, 130
"""The settled exit statuses; CHANGES is that of a ``plan`` which found something to change."""

_OF_THE_MACHINE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT}
"""Errors that say something of the machine, wherever they come from: no permission, read-only, full."""


@click.command(
    cls=Verbs,
    help="Swath: an environment to build Earth-observation processors in, and the core they run on.",
    epilog="Each verb has its own --help with examples. The verbs are those of the packages installed here.",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(package_name="swath-cli", prog_name="swath", message="%(prog)s %(version)s")
def swath() -> None:
    """Hold the verbs together."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with one of the settled exit statuses.

    An exception that carries ``exit_status`` is an expected failure: its message is printed, without a
    traceback. Set ``SWATH_DEBUG=1`` to see the traceback of any failure. SIGTERM, and SIGHUP
    when the terminal is closed, end a verb as Ctrl-C does, so that it can clear up what is half-done.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as nohup has it
        signal.signal(signal.SIGHUP, _interrupt)
    sys.exit(_run(None if arguments is None else list(arguments)))


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(arguments: list[str] | None) -> int:
    try:
        result = swath.main(args=arguments, prog_name="swath", standalone_mode=False)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _tell_interruption()
    except click.ClickException as error:
        error.show()
        return USAGE
    except Exception as error:  # noqa: BLE001 -- the last resort of a command line
        return _tell_interruption() if _follows_interruption(error) else _tell(error)
    return result if isinstance(result, int) else DONE


def _tell_interruption() -> int:
    with contextlib.suppress(OSError):  # of a terminal that is closed
        click.echo("\ninterrupted", err=True)
    return INTERRUPTED


def _follows_interruption(error: BaseException | None) -> bool:
    """Tell whether an error came while an interruption was on its way up, as ``shutil.rmtree`` makes some."""
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error is not None


def _tell(error: Exception) -> int:
    """Print an error for people and return its exit status."""
    if os.environ.get("SWATH_DEBUG"):
        import traceback  # noqa: PLC0415 -- only to hunt a defect

        traceback.print_exception(error)
    status = getattr(error, "exit_status", None)
    if isinstance(status, int):
        click.echo(f"error: {error}", err=True)
        for note in getattr(error, "__notes__", []):
            click.echo(f"  {note}", err=True)
        return status
    if isinstance(error, OSError) and error.errno in _OF_THE_MACHINE:
        click.echo(f"error: {error.filename or 'this machine'}: {error.strerror}.", err=True)
        return FAILED
    click.echo(f"internal error: {type(error).__name__}: {error}", err=True)
    click.echo("This is a defect in Swath. SWATH_DEBUG=1 shows the traceback to report.", err=True)
    return FAILED
