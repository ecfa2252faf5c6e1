"""A systemd that is the first process of a machine of the tests' own: namespaces and cgroups in this one.

It starts no more than the targets that a unit is put in order by, and what is enabled in its own
``/etc/systemd/system``: none of the units of the machine that the tests run on.
"""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from swath_sde.cluster._cgroups import Cgroups

SYSTEMD = Path("/lib/systemd/systemd")
_HIERARCHIES = Path("/sys/fs/cgroup")
_TARGETS = (
    "basic.target", "final.target", "local-fs.target", "multi-user.target", "network-online.target",
    "network.target", "paths.target", "poweroff.target", "shutdown.target", "slices.target",
    "sockets.target", "sysinit.target", "systemd-poweroff.service", "timers.target", "umount.target",
)  # fmt: skip
_ENTER = """\
set -e
mount --make-rprivate /
umount --recursive /sys/fs/cgroup
if [ "$2" = unified ]; then
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
  mount -t tmpfs -o mode=755 cgroups /sys/fs/cgroup
  for name in $3; do
    mkdir /sys/fs/cgroup/$name
    case $name in systemd) what=none,name=systemd ;; *) what=$name ;; esac
    mount -t cgroup -o $what cgroup /sys/fs/cgroup/$name
  done
fi
mount -t tmpfs -o mode=755 run /run
mkdir /run/lock
mount --bind "$1/etc" /etc/systemd/system
mount --bind "$1/console" /dev/console
mount --bind /dev/null /dev/kmsg
hostname booted
exec env -i container=swath-tests PATH=/usr/sbin:/usr/bin:/sbin:/bin \
  SYSTEMD_UNIT_PATH="/etc/systemd/system:/run/systemd/system:$1/units" SYSTEMD_GENERATOR_PATH="$1/none" \
  SYSTEMD_LOG_TARGET=console /lib/systemd/systemd --system --unit=multi-user.target --show-status=no
"""


@dataclass
class Booted:
    """The machine: it can be switched off and on; its disk is that of this machine."""

    folder: Path
    """Where its units and its console are."""
    _unshare: "subprocess.Popen[bytes] | None" = field(default=None)
    _first: int = field(default=0)

    @property
    def name(self) -> str:
        """Name of its cgroup in all hierarchies."""
        return f"swath-tests-{os.getpid()}"

    def switch_on(self) -> None:
        """Start its systemd, and wait until all is started that is enabled."""
        for part in ("etc", "units"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        for target in _TARGETS:
            shutil.copy(Path("/lib/systemd/system") / target, self.folder / "units")
        (self.folder / "console").touch()
        names = []
        for hierarchy in Cgroups.hierarchies():
            if hierarchy.name == "unified" and not Cgroups.unified():
                continue  # of a machine with both versions: here there is one
            names.append(hierarchy.name)
            group = hierarchy / self.name
            group.mkdir(exist_ok=True)
            if hierarchy.name == "cpuset":
                for file in ("cpuset.cpus", "cpuset.mems"):
                    (group / file).write_text((hierarchy / file).read_text())
        kind = "unified" if Cgroups.unified() else "legacy"
        self._unshare = subprocess.Popen(
            [
                "unshare", "--pid", "--mount", "--uts", "--ipc", "--net", "--cgroup", "--fork",
                "--kill-child", "--mount-proc",
                "sh", "-c", _ENTER, "enter", str(self.folder), kind, " ".join(names),
            ],
            preexec_fn=self._move_in,  # noqa: PLW1509 -- there are no threads here
        )  # fmt: skip
        until = time.monotonic() + 30
        while self._started() not in {"running", "degraded"}:
            assert self._unshare.poll() is None, (self.folder / "console").read_text()
            assert time.monotonic() < until, (self.folder / "console").read_text()
            time.sleep(0.2)

    def _move_in(self) -> None:
        for hierarchy in _HIERARCHIES.glob(f"*/{self.name}/cgroup.procs"):
            hierarchy.write_text(str(os.getpid()))
        if Cgroups.unified():
            (_HIERARCHIES / self.name / "cgroup.procs").write_text(str(os.getpid()))

    def _started(self) -> str:
        assert self._unshare is not None
        children = Path(f"/proc/{self._unshare.pid}/task/{self._unshare.pid}/children").read_text().split()
        if not children:
            return ""
        self._first = int(children[0])
        if Path(f"/proc/{self._first}/comm").read_text().strip() != "systemd":
            return ""
        return self.run("systemctl", "is-system-running", check=False).stdout.strip()

    def command(self, *words: str | Path) -> list[str | Path]:
        """Return the command line that runs a command there."""
        entered = ("--mount", "--pid", "--net", "--uts", "--ipc", "--cgroup")
        return ["nsenter", f"--target={self._first}", *entered, "--", *words]

    def run(self, *words: str | Path, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command there."""
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, check=False, preexec_fn=self._move_in
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def switch_off(self) -> None:
        """Have its systemd stop everything in order, and end."""
        assert self._unshare is not None
        self.run("systemctl", "poweroff")
        self._unshare.wait(120)

    def remove(self) -> None:
        """End it in whatever way, and remove its cgroups."""
        if self._unshare is not None and self._unshare.poll() is None:
            self._unshare.send_signal(signal.SIGKILL)
            self._unshare.wait()
        until = time.monotonic() + 10
        while left := list(self._cgroups()):
            for group in left:
                try:
                    group.rmdir()
                except OSError:
                    assert time.monotonic() < until, left
                    time.sleep(0.1)

    def _cgroups(self) -> list[Path]:
        tops = [hierarchy / self.name for hierarchy in Cgroups.hierarchies()]
        found = [path for top in tops if top.is_dir() for path in (top, *top.rglob("*/")) if path.is_dir()]
        return sorted(found, key=lambda path: -len(path.parts))
