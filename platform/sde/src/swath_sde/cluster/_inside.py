"""The first process of the node: it arranges mounts and network, then becomes the supervisor.

Run as ``python _inside.py SETTINGS RUN`` by the launcher: on its own, so that it waits for no imports.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

_TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""What the kubelet sets for the whole machine unless it finds it so."""


def main() -> None:
    """Arrange everything, then become the supervisor."""
    settings = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    run = Path(sys.argv[2])
    state = Path(settings["state"])
    _command("mount", "--make-rshared", "/")  # for the pods; the machine itself was left with unshare
    _mount_state(state, Path(settings["programs"]), run)
    _mount_system()
    _mount_names()
    _start_network()
    command = [
        settings["python"],
        "-m",
        "supervisor.supervisord",
        "-n",
        "-c",
        "/var/lib/swath/supervisor.conf",
    ]
    environment = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": "/root",
        "LANG": "C.UTF-8",
    }
    os.execve(command[0], command, environment)  # noqa: S606 -- no shell is what is wanted


def _mount_state(state: Path, programs: Path, run: Path) -> None:
    """Put the cluster's own folders where the programs look for them, over those of the machine."""
    held = {path: os.open(path, os.O_PATH) for path in (state, programs, run, Path("/var/lib"))}

    def of(path: Path, *parts: str) -> str:
        return "/".join([f"/proc/self/fd/{held[path]}", *parts])

    machine = {entry.name: entry.is_dir() for entry in Path("/var/lib").iterdir() if not entry.is_symlink()}
    own = {
        "containerd": of(state, "data", "containerd"),
        "etcd": of(state, "data", "etcd"),
        "kubelet": of(state, "data", "kubelet"),
        "swath": of(state, "node"),
    }
    _command("mount", "-t", "tmpfs", "-o", "mode=755", "swath", "/var/lib")
    for name, is_folder in machine.items():
        if name in own or name == "cni":
            continue
        target = Path("/var/lib") / name
        if is_folder:
            target.mkdir()
        else:
            target.touch()
        _bind(of(Path("/var/lib"), name), target, held)
    for name, source in own.items():
        target = Path("/var/lib") / name
        target.mkdir()
        _bind(source, target, held)
    (Path("/var/lib/swath") / "volumes").mkdir(exist_ok=True)
    _bind(of(state, "data", "volumes"), Path("/var/lib/swath/volumes"), held)
    _bind(of(state, "log"), Path("/var/log"), held)
    _command("mount", "-t", "tmpfs", "-o", "mode=755", "swath", "/run")
    for path, name in ((programs, "programs"), (run, "machine")):
        target = Path("/run/swath") / name
        target.mkdir(parents=True)
        _bind(of(path), target, held)
    Path("/run/lock").mkdir(exist_ok=True)
    for descriptor in held.values():
        os.close(descriptor)


def _mount_system() -> None:
    """Show the node its own devices, and the kubelet what it would else change for the whole machine."""
    hierarchies = os.open("/sys/fs/cgroup", os.O_PATH)
    _command("mount", "-t", "sysfs", "sysfs", "/sys")
    _command(
        "mount",
        "--no-canonicalize",
        "--rbind",
        f"/proc/self/fd/{hierarchies}",
        "/sys/fs/cgroup",
        keep=(hierarchies,),
    )
    os.close(hierarchies)
    shown = Path("/run/swath/tunables")
    for name, value in _TUNABLES.items():
        file = shown / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
        target = Path("/proc/sys") / name
        if target.exists():
            _command("mount", "--bind", str(file), str(target))
    for name in ("ipv4/ip_forward", "bridge/bridge-nf-call-iptables", "ipv4/conf/all/route_localnet"):
        target = Path("/proc/sys/net") / name  # of this network namespace alone
        if target.exists():
            target.write_text("1\n")


def _mount_names() -> None:
    """Give the node its own list of hosts and its own name server."""
    inside = Path("/var/lib/swath/configuration")
    for name in ("hosts", "resolv.conf"):
        target = Path("/etc") / name
        real = Path(os.path.realpath(target))
        if not real.exists():  # a link into /run, which is empty here
            real.parent.mkdir(parents=True, exist_ok=True)
            real.touch()
        _command("mount", "--bind", str(inside / name), str(real))


def _start_network() -> None:
    """Wait for the device that slirp4netns makes."""
    _command("ip", "link", "set", "lo", "up")
    until = time.monotonic() + 60
    while "10.0.2.100" not in Path("/proc/net/fib_trie").read_text():
        if time.monotonic() > until:
            sys.exit("the node's network device did not come up within a minute: slirp4netns' log says why")
        time.sleep(0.02)


def _bind(source: str, target: Path, held: dict[Path, int]) -> None:
    # Not to be resolved by mount itself: the path that the descriptor had may be hidden by now.
    _command("mount", "--no-canonicalize", "--rbind", source, str(target), keep=tuple(held.values()))


def _command(*words: str, keep: tuple[int, ...] = ()) -> None:
    done = subprocess.run(words, check=False, capture_output=True, text=True, pass_fds=keep)  # noqa: S603 -- no shell, no words of strangers
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr.strip()}")


if __name__ == "__main__":
    main()
