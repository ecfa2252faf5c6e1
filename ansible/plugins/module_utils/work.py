"""The one shape of all modules: read swath.yaml, plan, and outside of check mode do what was planned."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.swath.sde.plugins.module_utils.interruption import interruptible
from ansible_collections.swath.sde.plugins.module_utils.report import Progress, difference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Work", "perform"]

_INTERRUPTED = 130


@dataclass(frozen=True)
class Work:
    """What a module does; its functions get the installation, and their errors carry ``exit_status``."""

    plan: Callable[[Any], list[Any]]
    """Find what would change, as `swath_sde.changes.Change`; nothing is written."""
    apply: Callable[[Any, Progress], list[Any]]
    """Do it, and return what was done. It looks for itself, and finishes what an interrupted run has left."""
    name: str = ""
    """Name of the part, where that is not the subject of the module."""
    lacks: Callable[[Any], str] = lambda _installation: ""
    """Name what a plan would be compared with and which is not there yet: then all of it is to be created."""
    facts: Callable[[Any], dict[str, Any]] = lambda _installation: {}
    """Further values of the result, read when all is done; none in check mode."""


def perform(
    subject: str, options: dict[str, Any], choose: Callable[[dict[str, Any]], Work], **more: Any
) -> NoReturn:
    """Run a module to its end.

    Parameters
    ----------
    subject
        What the module is about, for progress and errors: ``cluster``.
    options
        Argument specification, without ``file``, which every module has.
    choose
        Gives what is to be done for the values of the options; it imports the platform's functions.
    more
        Further arguments of ``AnsibleModule``.
    """
    module = AnsibleModule(
        argument_spec={"file": {"type": "path", "required": True}, **options},
        supports_check_mode=True,
        **more,
    )
    try:
        with interruptible(), _own_output():
            result = _result(module, subject, choose)
    except ModuleNotFoundError as error:
        module.fail_json(
            msg=f"{sys.executable} has no {error.name}: modules of swath.sde need the Python that has swath "
            "and all that it needs. `./swath --version` brings that up to date; ansible_python_interpreter "
            'must be "{{ ansible_playbook_python }}".',
            exit_status=1,
        )
    except KeyboardInterrupt:
        module.fail_json(
            msg=f"{subject}: interrupted; the next run takes up where this one ended",
            exit_status=_INTERRUPTED,
        )
    except Exception as error:  # noqa: BLE001 -- the last resort of a module
        _tell(module, error)
    module.exit_json(**result)


def _result(module: AnsibleModule, subject: str, choose: Callable[[dict[str, Any]], Work]) -> dict[str, Any]:
    from swath_sde.changes import Action, Change, as_json, pending  # noqa: PLC0415 -- its absence is told in words
    from swath_sde.configuration import load_installation  # noqa: PLC0415

    installation = load_installation(module.params["file"])
    work = choose(module.params)
    if not module.check_mode:
        changes = pending(work.apply(installation, Progress(subject)))
        facts = work.facts(installation)
    else:
        facts = {}
        if lacking := work.lacks(installation):
            told = (f"looked at when {lacking} is there",)
            changes = [Change("part", work.name or subject, Action.CREATE, told)]
        else:
            changes = pending(work.plan(installation))
    return {"changed": bool(changes), "changes": as_json(changes), "diff": difference(changes), **facts}


def _tell(module: AnsibleModule, error: Exception) -> NoReturn:
    """Fail with the words of an error raised on purpose; another is a defect, told with its trace."""
    status = getattr(error, "exit_status", None)
    if isinstance(status, int):
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", []))
        module.fail_json(msg=f"{error}{notes}", exit_status=status)
    if isinstance(error, OSError):
        module.fail_json(msg=f"{error.filename or 'this machine'}: {error.strerror or error}", exit_status=1)
    module.fail_json(
        msg=f"internal error: {type(error).__name__}: {error}. A defect in Swath; -vvv shows its trace.",
        exit_status=1,
        exception=traceback.format_exc(),
    )


@contextmanager
def _own_output() -> Iterator[None]:
    """Keep standard output for the module's result: what programs print in between goes to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(kept, 1)
        os.close(kept)
