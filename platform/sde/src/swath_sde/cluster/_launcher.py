"""The process outside that makes the node, and its way to the network; it ends when the node ends.

Run as ``python _launcher.py SETTINGS RUN`` by the outer supervisor, which starts it again: on its own, so
that it is small.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_PATIENCE = 40
"""Seconds that the node's programs have to end by themselves."""


def main() -> None:
    """Make the node and stay until it ends or this process is asked to end it."""
    _end_with_parent()
    settings_path, run = Path(sys.argv[1]), Path(sys.argv[2])
    settings = json.loads(settings_path.read_text(encoding="utf-8"))
    for pattern in ("", "*/"):  # version 2 and version 1; systemd would have this in a cgroup of its own
        for group in Path("/sys/fs/cgroup").glob(f"{pattern}swath/{run.name}/node/cgroup.procs"):
            group.write_text(f"{os.getpid()}\n")
    _wait_for_former(run / "node.pid")
    signal.signal(signal.SIGTERM, _stop)
    node = subprocess.Popen(  # noqa: S603 -- no shell, no words of strangers
        [  # noqa: S607 -- where PATH has it
            "unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--kill-child",
            "--mount-proc", "sh", "-c", 'hostname "$0" && exec "$@"', settings["name"],
            settings["python"], str(Path(__file__).with_name("_inside.py")), str(settings_path), str(run),
        ],
        preexec_fn=_end_with_parent,  # noqa: PLW1509 -- there are no threads here
    )  # fmt: skip
    network: subprocess.Popen[bytes] | None = None
    first = 0
    try:
        first = _first_process(node)
        (run / "node.pid").write_text(f"{first}\n")
        while node.poll() is None:
            if network is None or network.poll() is not None:
                network = _connect(first, settings, run)
            time.sleep(0.5)
    except _StopError:
        with contextlib.suppress(ProcessLookupError):
            if first:
                os.kill(first, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            node.wait(_PATIENCE)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        node.kill()  # its child goes with it (--kill-child), and all that lives in the namespaces
        node.wait()
        if network is not None:
            network.kill()
            network.wait()
        (run / "node.pid").unlink(missing_ok=True)
    sys.exit(0 if node.returncode in (0, -signal.SIGKILL) else 1)


def _wait_for_former(record: Path) -> None:
    """Wait until the node of a launcher that was killed has ended, too: two never work on the same data."""
    with contextlib.suppress(OSError, ValueError):  # there was none
        former = Path(f"/proc/{int(record.read_text())}")
        until = time.monotonic() + _PATIENCE
        while former.exists() and time.monotonic() < until:
            time.sleep(0.05)


class _StopError(Exception):
    """What ends the launcher in order: it was asked to."""


def _stop(_number: int, _frame: object) -> None:
    raise _StopError


def _end_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends, however that ends (PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


def _first_process(node: subprocess.Popen[bytes]) -> int:
    """Return the process id, on the machine, of the node's first process."""
    until = time.monotonic() + 30
    while time.monotonic() < until and node.poll() is None:
        for status in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The command's name, in parentheses, may have blanks: what counts comes after it.
                if int(status.read_text().rpartition(")")[2].split()[1]) == node.pid:
                    return int(status.parent.name)
        time.sleep(0.02)
    sys.exit("the node's namespaces could not be made")


def _connect(first: int, settings: dict[str, Any], run: Path) -> subprocess.Popen[bytes]:
    """Start slirp4netns: the node's device, its way out, and the ports that lead in."""
    api = run / "network.sock"
    api.unlink(missing_ok=True)
    ready, done = os.pipe()
    network = subprocess.Popen(  # noqa: S603 -- no shell, no words of strangers
        [  # noqa: S607 -- where PATH has it
            "slirp4netns", "--configure", "--mtu=65520", "--disable-host-loopback", f"--api-socket={api}",
            f"--ready-fd={done}", str(first), "tap0",
        ],
        pass_fds=(done,),
        preexec_fn=_end_with_parent,  # noqa: PLW1509 -- there are no threads here
    )  # fmt: skip
    os.close(done)
    with os.fdopen(ready, "rb") as pipe:
        if pipe.read(1) != b"1":
            network.wait()
            time.sleep(1)  # it is tried again
            return network
    for outside, inside in ((settings["api_port"], 6443), (settings["https_port"], settings["https_port"])):
        answer = _ask(
            api,
            {
                "execute": "add_hostfwd",
                "arguments": {
                    "proto": "tcp", "host_addr": "127.0.0.1", "host_port": outside, "guest_port": inside,
                },
            },
        )  # fmt: skip
        if "error" in answer:
            told = f"port {outside} of 127.0.0.1 cannot be forwarded: {answer['error'].get('desc', answer)}"
            sys.stderr.write(f"{told}\n")
            (run / "network.error").write_text(told)
            network.kill()
            network.wait()
            time.sleep(1)
            return network
    (run / "network.error").unlink(missing_ok=True)
    return network


def _ask(api: Path, question: dict[str, Any]) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(api))
        connection.sendall(json.dumps(question).encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(4096), b""))
    result: dict[str, Any] = json.loads(answer)
    return result


if __name__ == "__main__":
    main()
