"""The systemd unit that keeps a cluster, where systemd runs: it starts with the machine and ends in order."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.cluster.errors import NodeError

if TYPE_CHECKING:
    from swath_sde.cluster._settings import Settings

__all__ = ["Unit", "supervised_by_systemd"]

_UNITS = Path("/etc/systemd/system")
"""Where an administrator's units are: on the disk that systemd starts from; the state folder may not be."""
_RUNS = Path("/run/systemd/system")
"""There where systemd is the machine's first process."""


def supervised_by_systemd() -> bool:
    """Return whether systemd runs here, so that it starts the outer supervisor and starts it again."""
    return _RUNS.is_dir() and shutil.which("systemctl") is not None


@dataclass(frozen=True, slots=True)
class Unit:
    """The unit of one cluster."""

    settings: Settings
    """The cluster."""

    @property
    def name(self) -> str:
        """Its name."""
        return f"swath-{self.settings.identity}.service"

    @property
    def path(self) -> Path:
        """Its file."""
        return _UNITS / self.name

    def text(self) -> str:
        """Return what its file says."""
        settings, layout = self.settings, self.settings.layout
        python = _quoted(settings.python)
        boot = f"{python} -m swath_sde.cluster._unit {_quoted(layout.settings)}"
        return f"""\
# Written by `swath cluster up`, removed by `swath cluster down`.
[Unit]
Description=Swath: the embedded cluster {settings.name}
Wants=network-online.target
After=network-online.target
RequiresMountsFor={_quoted(layout.state)} {_quoted(settings.programs)} {python}
StartLimitIntervalSec=0

[Service]
Type=exec
Environment=LANG=C.UTF-8
WorkingDirectory=/
ExecStartPre={boot} prepare
ExecStart={python} -m supervisor.supervisord --nodaemon -c {_quoted(layout.state / "supervisor.conf")}
ExecStop={boot} stop
Restart=always
RestartSec=1
KillMode=mixed
TimeoutStopSec=120
OOMScoreAdjust=-500
TasksMax=infinity

[Install]
WantedBy=multi-user.target
"""

    @property
    def in_place(self) -> bool:
        """Whether its file is as it should be, and systemd starts it with the machine."""
        try:
            same = self.path.read_text(encoding="utf-8") == self.text()
        except OSError:
            return False
        return same and _systemctl("is-enabled", self.name, check=False) == "enabled"

    def put_in_place(self) -> None:
        """Write its file, and have systemd start it with the machine from now on."""
        from swath_sde.trust import write_whole  # noqa: PLC0415 -- not when the unit starts

        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self.path, self.text(), mode=0o644)
        _systemctl("daemon-reload")
        _systemctl("enable", self.name)

    def start(self) -> None:
        """Have systemd start it; it runs when this returns."""
        _systemctl("start", self.name)

    def stop(self) -> None:
        """Have systemd stop it, and remove it."""
        _systemctl("stop", self.name, check=False)  # also the transient one of an earlier version
        if not self.path.exists():
            return
        _systemctl("disable", self.name, check=False)
        self.path.unlink(missing_ok=True)
        _systemctl("reset-failed", self.name, check=False)
        _systemctl("daemon-reload", check=False)


def _quoted(value: object) -> str:
    """Return a word as systemd reads it back."""
    text = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if any(mark in text for mark in ' \t"\\') else text


def _systemctl(*words: str, check: bool = True) -> str:
    done = subprocess.run(  # noqa: S603 -- no shell, no words of strangers
        ["systemctl", "--no-ask-password", *words],  # noqa: S607 -- where PATH has it
        check=False,
        capture_output=True,
        text=True,
    )
    if check and done.returncode:
        raise NodeError(
            f"systemctl {' '.join(words)}: {(done.stderr or done.stdout).strip()[-500:]}; "
            f"`journalctl -u {words[-1]}` says more"
        )
    return done.stdout.strip()


def main() -> None:
    """Do what the unit needs before its start and its end: ``_unit SETTINGS prepare|stop``."""
    from swath_sde.cluster._node import Node  # noqa: PLC0415 -- it knows this module
    from swath_sde.cluster._settings import Settings  # noqa: PLC0415

    node = Node(Settings.read(Path(sys.argv[1])))
    if sys.argv[2] == "prepare":
        node.prepare()
    else:
        node.stop_pods()


if __name__ == "__main__":
    main()
