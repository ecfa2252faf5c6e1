"""Ansible callback swath.sde.progress."""

from __future__ import annotations

DOCUMENTATION = r"""
name: progress
type: stdout
short_description: What is done, what is being done, and the time that is left
version_added: 0.1.0
description:
  - Prints a line a task with its state and time. In a terminal, a last line tells what is being done, for how
    long, and about how long the rest will take.
  - The estimate comes from the times of earlier runs, and there is none before there were any.
  - Instead of that, it gives one JSON object a line, for a program that runs the playbook.
  - It tells the modules of C(swath.sde) which process to end with.
options:
  format:
    description: For whom the output is.
    type: str
    choices: [people, json]
    default: people
    env:
      - name: SWATH_PROGRESS_FORMAT
    ini:
      - section: callback_progress
        key: format
  durations:
    description:
      - File that keeps the times of tasks. By default one for all installations in Swath's data folder.
    type: path
    env:
      - name: SWATH_DURATIONS
    ini:
      - section: callback_progress
        key: durations
author:
  - the Swath maintainers
"""

import importlib
import json
import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.swath.sde.plugins.module_utils.interruption import (
    CONTROLLER,
    ENDED,
    RUN_FOLDER,
    RUNNER,
    end_with,
)
from ansible_collections.swath.sde.plugins.plugin_utils.estimate import Estimate
from ansible_collections.swath.sde.plugins.plugin_utils.view import JsonLines, View

_QUIET = {"meta", "ansible.builtin.meta", "ansible.builtin.validate_argument_spec"}
"""Actions that only a failure makes worth a line."""

_LOOKS_ONLY = {"plan", "verify"}
"""Playbooks that change nothing, with and without ``--check``."""


class CallbackModule(CallbackBase):
    """The callback: turns what Ansible tells into events, and hands them to a view."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "swath.sde.progress"

    def __init__(self) -> None:
        super().__init__()
        os.environ[CONTROLLER] = str(os.getpid())
        self._own_folder: Path | None = None
        if not os.environ.get(RUN_FOLDER):
            self._own_folder = Path(tempfile.mkdtemp(prefix="swath-run-"))
            os.environ[RUN_FOLDER] = str(self._own_folder)
        self._run_folder = Path(os.environ[RUN_FOLDER])
        (self._run_folder / "running").mkdir(exist_ok=True)
        self._over = threading.Event()
        self._teller = threading.Thread(target=self._tell_progress, daemon=True)
        self._task: tuple[str, str] = ("", "")
        self._since = self._begun = time.monotonic()
        self._exit_status = 0
        self._counts = dict.fromkeys(("ok", "changed", "failed", "skipped"), 0)

    def set_options(self, *arguments: Any, **more: Any) -> None:
        """Take the options, and begin."""
        super().set_options(*arguments, **more)
        json_lines = self.get_option("format") == "json"
        self._view = JsonLines(self._display) if json_lines else View(self._display)
        self._estimate = Estimate()

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Read the times of earlier runs."""
        name = Path(playbook._file_name).stem  # noqa: SLF001 -- Ansible has no public way to it
        checks = bool(_command_line("check"))
        self._check = checks or name in _LOOKS_ONLY
        self._estimate = Estimate(self._durations(), _title(name, checks=checks))
        self._view.take({"event": "start", "playbook": name, "check": self._check, "left": self._left()})
        _load_once()
        self._teller.start()
        end_with(RUNNER)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:  # noqa: ARG002 -- Ansible's
        """Tell what begins."""
        role = task._role.get_name(include_role_fqcn=False) if task._role else ""  # noqa: SLF001 -- as above
        self._task, self._since = (role, task.name or task.action), time.monotonic()
        if task.action not in _QUIET:
            self._view.take({"event": "task", **self._where(), "left": self._left()})

    v2_playbook_on_handler_task_start = v2_playbook_on_cleanup_task_start = v2_playbook_on_task_start

    def v2_runner_on_ok(self, result: Any) -> None:
        """Tell that a task is done."""
        self._done("changed" if result.result.get("changed") else "ok", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Tell that a task was not needed."""
        self._done("skipped", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Tell that a task failed."""
        self._done("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Tell that a host cannot be reached."""
        self._done("failed", result)

    def v2_runner_retry(self, result: Any) -> None:
        """Tell nothing: the time that passes tells it."""

    def v2_on_file_diff(self, result: Any) -> None:
        """Tell the differences of a task that made some, when Ansible runs with ``--diff``."""
        found = result.result.get("diff")
        for diff in found if isinstance(found, list) else [found]:
            text = self._get_diff(diff) if diff and result.result.get("changed") else ""
            if text.strip():
                self._view.take({"event": "diff", **self._where(), "text": text})

    def v2_playbook_on_stats(self, stats: Any) -> None:  # noqa: ARG002 -- Ansible's
        """Sum up, and keep the times of a run that reached its end."""
        self._over.set()
        if self._teller.is_alive():
            self._teller.join()
        if not self._counts["failed"]:
            self._estimate.keep()
        seconds = round(time.monotonic() - self._begun, 1)
        self._view.take({"event": "end", "check": self._check, **self._counts, "seconds": seconds})
        end = {"changed": self._counts["changed"], "exit_status": self._exit_status}
        (self._run_folder / ENDED).write_text(json.dumps(end), encoding="utf-8")
        if self._own_folder:
            shutil.rmtree(self._own_folder, ignore_errors=True)

    def _done(self, state: str, result: Any) -> None:
        if result.task.action in _QUIET and state != "failed":
            return
        elapsed = time.monotonic() - self._since
        self._counts["ok" if state == "ignored" else state] += 1
        self._estimate.done(self._task, state, elapsed)
        event = {
            "event": "result",
            **self._where(),
            "state": state,
            "elapsed": round(elapsed, 2),
            "left": self._left(),
        }
        told = result.result
        if state in ("failed", "ignored"):
            event["message"] = _message(told)
            event["exit_status"] = told.get("exit_status", 1)
        if state == "failed":
            self._exit_status = max(self._exit_status, event["exit_status"])
        if told.get("changes"):
            event["changes"] = told["changes"]
        self._view.take(event)

    def _where(self) -> dict[str, str]:
        return {"role": self._task[0], "task": self._task[1]}

    def _left(self) -> float | None:
        return self._estimate.left(self._task, time.monotonic() - self._since)

    def _durations(self) -> Path | None:
        named = self.get_option("durations")
        if named:
            return Path(named)
        try:
            from swath_sde.places import data_folder  # noqa: PLC0415 -- a run can do without an estimate
        except ImportError:
            return None
        return Path(data_folder()) / "durations.json"

    def _tell_progress(self) -> None:
        """Hand on what modules tell while they work, and keep the clock of the last line running."""
        place = 0
        while True:
            over = self._over.wait(0.5)
            place = self._read_progress(place)
            self._view.tick(time.monotonic() - self._since, self._left())
            if over:
                return

    def _read_progress(self, place: int) -> int:
        try:
            with (self._run_folder / "progress").open("rb") as told:
                told.seek(place)
                found = told.read()
        except OSError:  # nobody has told anything yet
            return place
        whole = found[: found.rfind(b"\n") + 1]
        for line in whole.splitlines():
            said = json.loads(line)
            self._view.take(
                {"event": "progress", "of": said["of"], "text": said["text"], "left": self._left()}
            )
        return place + len(whole)


def _load_once() -> None:
    """Load what the lookup needs before the first task: each task runs in a process forked from this one."""
    with suppress(ImportError):  # the lookup says so, in words
        importlib.import_module("swath_sde.configuration")
        importlib.import_module("swath_sde.cluster")


def _title(playbook: str, *, checks: bool) -> str:
    """Return what tells one kind of run from another: they take different times."""
    chosen = [
        f"--{option} {','.join(values)}"
        for option in ("tags", "skip_tags")
        if (values := sorted(_command_line(option) or ())) and values != ["all"]
    ]
    return " ".join([playbook, *(["--check"] if checks else []), *chosen])


def _command_line(option: str) -> Any:
    from ansible import context  # noqa: PLC0415 -- filled when the command line is read

    return context.CLIARGS.get(option)


def _message(told: dict[str, Any]) -> str:
    """Return what people should read of a failure; of a loop, of each item that failed."""
    failed = [item for item in told.get("results", []) if isinstance(item, dict) and item.get("failed")]
    texts = [str(item.get("msg", "")) for item in failed] or [str(told.get("msg", ""))]
    return "\n".join(dict.fromkeys(text.strip() for text in texts if text.strip())) or "failed without a word"
