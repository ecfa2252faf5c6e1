"""The node as it runs: starting it, stopping it, running commands in it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from swath_sde.cluster._cgroups import Cgroups
from swath_sde.cluster._programs import programs
from swath_sde.cluster._supervisor import ProcessState, Supervisor
from swath_sde.cluster._unit import Unit, supervised_by_systemd
from swath_sde.cluster.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swath_sde.cluster._settings import Settings

__all__ = ["Node"]


@dataclass(frozen=True, slots=True)
class Node:
    """The process tree of one cluster."""

    settings: Settings
    """The cluster."""

    @property
    def cgroups(self) -> Cgroups:
        """Its cgroups."""
        return Cgroups(self.settings.identity)

    @property
    def outer(self) -> Supervisor:
        """The supervisor outside, which keeps the launcher and the keeper of the certificates."""
        return Supervisor(self.settings.layout.run / "outer.sock")

    @property
    def inner(self) -> Supervisor:
        """The supervisor inside: the node's first process."""
        return Supervisor(self.settings.layout.run / "node.sock")

    @property
    def pid(self) -> int | None:
        """Process id, on this machine, of the node's first process; None where there is no node."""
        try:
            pid = int((self.settings.layout.run / "node.pid").read_text())
            os.kill(pid, 0)
        except (OSError, ValueError):
            return None
        return pid

    @property
    def runs(self) -> bool:
        """Whether there is a node, and someone who looks after it."""
        return self.pid is not None and self.outer.answers()

    @property
    def remains(self) -> bool:
        """Whether there is anything of it on this machine but its data: processes, cgroups, sockets, unit."""
        kept = supervised_by_systemd() and self.unit.path.exists()
        return kept or self.settings.layout.run.exists() or self.cgroups.exist

    def programs(self) -> list[ProcessState]:
        """Return how the programs inside are, in the order in which they start; none where none runs."""
        try:
            found = self.inner.processes() if self.runs else {}
        except NodeError:
            return []
        return [found[name] for name in programs(self.settings) if name in found]

    def try_again(self) -> None:
        """Start at once what its supervisor would try again later: the longer it failed, the later."""
        for program in self.programs():
            if program.state in {"BACKOFF", "FATAL"}:
                self.inner.restart(program.name)

    def import_images(self, archive: Path) -> list[str]:
        """Give images of an archive (Docker or OCI) to the container runtime; return their references."""
        with archive.open("rb") as file:
            told = self.run(["ctr", "-n", "k8s.io", "images", "import", "-"], stdin=file)
        return [line.split()[1] for line in told.splitlines() if line.startswith("unpacking ")]

    def outer_configuration(self) -> str:
        """Return the outer supervisor's configuration."""
        layout = self.settings.layout
        here = Path(__file__).parent
        launcher = [self.settings.python, str(here / "_launcher.py"), str(layout.settings), str(layout.run)]
        keeper = [self.settings.python, "-m", "swath_sde.cluster._keeper", str(layout.settings)]
        text = f"""\
[supervisord]
user=root
logfile={layout.logs}/outer.log
logfile_maxbytes=5MB
logfile_backups=2
pidfile={layout.run}/outer.pid
directory=/

[unix_http_server]
file={layout.run}/outer.sock
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""
        for name, command, patience in (("node", launcher, 60), ("keeper", keeper, 5)):
            text += f"""
[program:{name}]
command={shlex.join(command).replace("%", "%%")}
autorestart=true
startsecs=1
startretries=1000
stopwaitsecs={patience}
redirect_stderr=true
stdout_logfile={layout.logs}/{name}.log
stdout_logfile_maxbytes=5MB
stdout_logfile_backups=2
"""
        return text

    def prepare(self) -> None:
        """Make what the node needs of the machine: kernel modules, its folder in ``/run``, its cgroups."""
        for module in (
            "overlay",
            "br_netfilter",
            "tun",
            "nfnetlink_queue",
        ):  # built in, or not there at all: both fine
            subprocess.run(["modprobe", "--quiet", module], check=False, capture_output=True)  # noqa: S603, S607 -- no shell; where PATH has it
        self.settings.layout.run.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.cgroups.make()

    def start(self) -> None:
        """Start the outer supervisor, which starts the rest: by systemd where that runs, else as a daemon."""
        if supervised_by_systemd():
            self.unit.put_in_place()
            self.unit.start()
            return
        self.prepare()
        layout = self.settings.layout
        command = [
            self.settings.python, "-m", "supervisor.supervisord", "-c", str(layout.state / "supervisor.conf"),
        ]  # fmt: skip
        adopt = self.cgroups.adopt
        done = subprocess.run(  # noqa: S603 -- no shell, no words of strangers
            command,
            check=False,
            capture_output=True,
            text=True,
            cwd="/",
            preexec_fn=lambda: adopt(os.getpid()),
        )
        if done.returncode:
            raise NodeError(f"the supervisor did not start: {(done.stderr or done.stdout).strip()[-500:]}")

    @property
    def unit(self) -> Unit:
        """Its systemd unit, where systemd runs."""
        return Unit(self.settings)

    def stop(self) -> None:
        """Stop everything in order; what does not end by itself is ended. Nothing of it is left."""
        ordered = self.outer.answers()
        if ordered:
            self.stop_pods()
            with contextlib.suppress(NodeError):
                self.outer.stop("node")
        if supervised_by_systemd():
            self.unit.stop()
        if ordered:
            with contextlib.suppress(NodeError):
                self.outer.shutdown()
        self._end_the_rest(5 if ordered else 0)
        left = self.cgroups.remove()
        if left:
            raise NodeError(f"cgroups are still in use: {', '.join(map(str, left))}")
        shutil.rmtree(self.settings.layout.run, ignore_errors=True)
        with contextlib.suppress(OSError):
            self.settings.layout.run.parent.rmdir()

    def stop_pods(self) -> None:
        """Ask the programs of all pods to end, as a shutdown of a machine does, so that they lose nothing."""
        if not self.inner.answers():
            return
        with contextlib.suppress(NodeError):
            self.inner.stop("kubelet")  # it would start them again
            listed = self.run(["ctr", "-n", "k8s.io", "tasks", "list", "-q"], check=False).split()
            for task in listed:
                self.run(["ctr", "-n", "k8s.io", "tasks", "kill", "--signal", "SIGTERM", task], check=False)
            until = time.monotonic() + 15
            while time.monotonic() < until:
                states = self.run(["ctr", "-n", "k8s.io", "tasks", "list"], check=False)
                if "RUNNING" not in states:
                    return
                time.sleep(0.3)

    def _end_the_rest(self, patience: float) -> None:
        """End what is still in the cluster's cgroups after some seconds, and wait for it."""
        until = time.monotonic() + 20
        gentle = time.monotonic() + patience
        while pids := self.cgroups.processes() - {os.getpid()}:
            for pid in pids if time.monotonic() > gentle else ():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if time.monotonic() > until:
                raise NodeError(f"processes do not end: {', '.join(map(str, sorted(pids)))}")
            time.sleep(0.1)

    def command(self, words: Sequence[str]) -> list[str]:
        """Return the command line that runs a command in the node."""
        pid = self.pid
        if pid is None:
            raise NodeError(f"the cluster {self.settings.name} does not run")
        return ["nsenter", f"--target={pid}", "--mount", "--pid", "--net", "--uts", "--ipc", "--", *words]

    def run(self, words: Sequence[str], *, check: bool = True, stdin: IO[bytes] | None = None) -> str:
        """Run a command in the node; return what it wrote to its standard output."""
        done = subprocess.run(  # noqa: S603 -- no shell, no words of strangers
            self.command(words),
            check=False,
            capture_output=True,
            stdin=stdin if stdin is not None else subprocess.DEVNULL,
            cwd="/",
        )
        if check and done.returncode:
            said = done.stderr.decode(errors="replace").strip()[-800:]
            raise NodeError(f"in the node: {shlex.join(words)}: status {done.returncode}: {said}")
        return done.stdout.decode(errors="replace")
