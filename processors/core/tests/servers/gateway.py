"""A real S3 server, built once a machine: versitygw (Apache-2.0), objects as plain files underneath."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VERSION = "v1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"
ACCESS, SECRET = "practice-access", "practice-secret"


def program() -> Path:
    """Return the server's program, built into the cache of Swath where it is not there yet (two minutes)."""
    home = os.environ.get("SWATH_HOME")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "swath"
    folder = (Path(home) / "cache" if home else cache) / "programs"
    target = folder / f"versitygw-{VERSION}"
    if not target.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as building:
            environment = {**os.environ, "GOBIN": building, "CGO_ENABLED": "0"}
            command = ["go", "install", "-trimpath", "-ldflags", "-s -w", MODULE]
            subprocess.run(command, env=environment, cwd=building, check=True)
            (Path(building) / "versitygw").replace(target)  # at once, as another run may do the same
    return target


@contextmanager
def gateway(folder: Path) -> Iterator[tuple[str, Path]]:
    """Run the server; yield its address, and the folder whose subfolders are its buckets."""
    buckets, kept, log = folder / "buckets", folder / "kept", folder / "gateway.log"
    buckets.mkdir()
    kept.mkdir()  # what it knows of objects that came through it
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program(), "--port", f"127.0.0.1:{port}", "--quiet", "posix", "--sidecar", kept, buckets],
            env=environment, stdout=output, stderr=output, cwd=folder,
        )  # fmt: skip
    try:
        for _ in range(200):
            assert process.poll() is None, log.read_text()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}", buckets
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(buckets)
