"""The embedded cluster as the rest of the platform sees it."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.cluster._binaries import Progress, build_programs, kubectl_binary, kubernetes_version
from swath_sde.cluster._cgroups import Cgroups
from swath_sde.cluster._configuration import write_configuration
from swath_sde.cluster._keys import keep_keys
from swath_sde.cluster._node import Node, python
from swath_sde.cluster._objects import first_objects
from swath_sde.cluster._ports import free_port
from swath_sde.cluster._programs import inner_supervisor
from swath_sde.cluster._settings import Settings
from swath_sde.cluster.errors import NodeError
from swath_sde.places import state_folder
from swath_sde.trust import installation_authority
from swath_sde.trust._authority import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swath_sde.configuration import Installation

__all__ = ["EmbeddedCluster"]


@dataclass(frozen=True, slots=True)
class EmbeddedCluster:
    """A Kubernetes of one node on this machine."""

    installation: Installation
    """The installation that it belongs to."""

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig (mode 0600)."""
        return state_folder(self.installation.name) / "kubeconfig"

    @property
    def _settings_path(self) -> Path:
        return state_folder(self.installation.name) / "cluster.json"

    def _recorded(self) -> Settings | None:
        return Settings.read(self._settings_path) if self._settings_path.exists() else None

    def _desired(self, programs: Path) -> Settings:
        installation = self.installation
        recorded = self._recorded()
        return Settings(
            name=installation.name,
            domain=installation.domain,
            https_port=installation.where.https_port,
            api_port=recorded.api_port if recorded else free_port(),
            issuer=installation.issuer,
            ingress_namespace=installation.namespace("ingress"),
            state=str(state_folder(installation.name)),
            programs=str(programs),
            python=python(),
        )

    def up(self, progress: Progress = lambda _: None) -> bool:
        """See to it that the cluster runs as the installation says; return whether anything was done.

        Raises
        ------
        NotPossibleError
            It cannot work here; nothing was changed.
        BuildError
            Its programs cannot be built.
        NodeError
            It does not come up.
        """
        programs = build_programs(progress)
        settings = self._desired(programs)
        node = Node(settings)
        changed = self._write(settings)
        running = node.outer.answers() and node.pid is not None
        if running and changed:
            progress("cluster: settings have changed, the node is started again")
            node.stop()
            running = False
        if not running:
            progress("cluster: starting the node")
            if node.cgroups.processes() or settings.layout.run.exists():
                node.stop()
            node.start()
        done = not running
        self._wait_for_api(settings, progress)
        if done or not (settings.layout.state / "ready").exists():
            progress("cluster: waiting for the node to be ready")
            self._first_objects(settings)
            self._import(node, programs / "pause.tar")
            self._wait_for_node(settings)
            (settings.layout.state / "ready").touch()
            progress(f"cluster: Kubernetes {kubernetes_version()} is ready")
        return done

    def _write(self, settings: Settings) -> bool:
        layout = settings.layout
        for folder in (layout.node, layout.configuration, layout.logs, layout.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("containerd", "etcd", "kubelet", "volumes"):
            (layout.data / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        (layout.logs / "pods").mkdir(exist_ok=True)
        (layout.node / "volumes").mkdir(exist_ok=True)
        renewed = keep_keys(settings)
        changed = write_configuration(
            settings,
            runtime_capped=not _has_capability(24),  # CAP_SYS_RESOURCE
            cgroup_root=Cgroups(settings.identity).root,
            ca=installation_authority(self.installation).pem,
        )
        texts = {
            layout.node / "supervisor.conf": inner_supervisor(settings),
            layout.settings: settings.text(),
        }
        for path, text in texts.items():
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                write_whole(path, text, mode=0o600)
                changed.add(path.name)
        if Node(settings).write_outer():
            changed.add("outer")
        return bool(changed or renewed)

    def down(self, progress: Progress = lambda _: None) -> bool:
        """Stop everything; data stays. Return whether anything ran."""
        settings = self._recorded()
        if settings is None:
            return False
        node = Node(settings)
        ran = node.outer.answers() or bool(node.cgroups.processes())
        if ran:
            progress("cluster: stopping pods and node")
        node.stop()
        return ran

    def reset(self, progress: Progress = lambda _: None) -> None:
        """Stop everything and remove all data of the cluster, its authorities included."""
        self.down(progress)
        progress("cluster: removing its data")
        state = state_folder(self.installation.name)
        for name in ("data", "node", "log"):
            shutil.rmtree(state / name, ignore_errors=False) if (state / name).exists() else None
        for name in ("cluster.json", "kubeconfig", "supervisor.conf", "ready"):
            (state / name).unlink(missing_ok=True)

    def run(self, words: Sequence[str]) -> str:
        """Run a command in the node, as root; return what it wrote."""
        return self._node().run(words)

    def import_images(self, archive: Path) -> list[str]:
        """Give images of an archive (Docker or OCI) to the container runtime; return their references."""
        return self._import(self._node(), archive)

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator; return what it wrote."""
        done = subprocess.run(
            [str(kubectl_binary()), f"--kubeconfig={self.kubeconfig}", *words],
            check=False,
            capture_output=True,
            text=True,
            input=stdin,
        )
        if done.returncode:
            raise NodeError(f"kubectl {' '.join(words)}: {done.stderr.strip()[-800:]}")
        return done.stdout

    def _node(self) -> Node:
        settings = self._recorded()
        if settings is None:
            raise NodeError(f"there is no cluster {self.installation.name}: `swath cluster up` makes it")
        return Node(settings)

    @staticmethod
    def _import(node: Node, archive: Path) -> list[str]:
        with archive.open("rb") as file:
            told = node.run(["ctr", "-n", "k8s.io", "images", "import", "-"], stdin=file)
        return [line.split()[1] for line in told.splitlines() if line.startswith("unpacking ")]

    def _wait_for_api(self, settings: Settings, progress: Progress) -> None:
        until = time.monotonic() + 180
        said = time.monotonic() + 10
        while not _api_ready(settings):
            now = time.monotonic()
            if now > until:
                raise NodeError(
                    f"the API server did not become ready within three minutes; the logs are in {settings.layout.logs}"
                )
            if now > said:
                progress("cluster: waiting for the API server")
                said = now + 10
            time.sleep(0.2)

    def _first_objects(self, settings: Settings) -> None:
        listed = {"apiVersion": "v1", "kind": "List", "items": first_objects()}
        until = time.monotonic() + 60
        while True:
            try:
                self.kubectl(
                    "apply", "--server-side", "--force-conflicts", "--field-manager=swath-cluster", "-f", "-",
                    stdin=json.dumps(listed),
                )  # fmt: skip
            except NodeError:
                if time.monotonic() > until:
                    raise
                time.sleep(1)
            else:
                return

    def _wait_for_node(self, settings: Settings) -> None:
        until = time.monotonic() + 120
        while True:
            try:
                self.kubectl("wait", "--for=condition=Ready", f"node/{settings.name}", "--timeout=60s")
            except NodeError as error:  # not registered yet
                if time.monotonic() > until:
                    raise NodeError(f"{error}; the logs are in {settings.layout.logs}") from None
                time.sleep(0.3)
            else:
                return


def _api_ready(settings: Settings) -> bool:
    """Return whether the API server says that it is ready."""
    try:
        context = ssl.create_default_context(cafile=str(settings.layout.keys / "cluster" / "ca.crt"))
        with (
            socket.create_connection(("127.0.0.1", settings.api_port), timeout=2) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def _has_capability(number: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False
