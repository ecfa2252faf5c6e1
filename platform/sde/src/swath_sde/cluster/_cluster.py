"""The embedded cluster as the rest of the platform sees it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.changes import Action, Change
from swath_sde.cluster._binaries import (
    Progress,
    build_programs,
    kubectl_binary,
    kubernetes_version,
    programs_folder,
)
from swath_sde.cluster._cgroups import Cgroups
from swath_sde.cluster._commands import install_missing, missing_packages
from swath_sde.cluster._configuration import configuration_files
from swath_sde.cluster._keeper import renew
from swath_sde.cluster._keys import certificates_until, keep_keys
from swath_sde.cluster._lock import locked
from swath_sde.cluster._node import Node
from swath_sde.cluster._objects import first_objects
from swath_sde.cluster._ports import is_free, own_port
from swath_sde.cluster._preflight import astray, can_queue, findings, remarks
from swath_sde.cluster._programs import inner_supervisor
from swath_sde.cluster._room import shortage
from swath_sde.cluster._settings import Settings
from swath_sde.cluster._status import ClusterStatus, ProgramStatus, State
from swath_sde.cluster._unit import supervised_by_systemd
from swath_sde.cluster._waiting import api_ready, node_ready, wait_for_all, wait_for_api, wait_for_node
from swath_sde.cluster.errors import NodeError, NoRoomError, NotPossibleError
from swath_sde.places import state_folder
from swath_sde.trust import installation_authority, write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swath_sde.configuration import Installation

__all__ = ["STOPPED", "EmbeddedCluster"]

STOPPED = "stopped → started"
"""What a plan says of a cluster that is there and does not run."""


def _silent(_line: str) -> None:
    """Say nothing."""


@dataclass(frozen=True, slots=True)
class EmbeddedCluster:
    """A Kubernetes of one node on this machine."""

    installation: Installation
    """The installation that it belongs to."""

    @property
    def state(self) -> Path:
        """The installation's state folder."""
        return state_folder(self.installation.name)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig (mode 0600)."""
        return self.state / "kubeconfig"

    def findings(self) -> list[str]:
        """Return what stands in the way of a start, each with what to do; empty where nothing does."""
        found = findings(https_port=self.installation.where.https_port, state=self.state)
        if self.installation.components.registry.enabled and self.installation.images.registry is None:
            # This machine pushes to the registry by that name.
            found += astray(self.installation.host("registry"), domain=self.installation.domain)
        return found

    def shortage(self) -> str:
        """Return which disk of the cluster's data is full, and what to do; else nothing."""
        data = self.state / "data"
        if not data.is_dir():
            return ""
        return shortage((*(data / name for name in ("etcd", "containerd", "kubelet", "volumes")), self.state))

    def oversized(self) -> list[str]:
        """Return which volumes hold more than was asked for."""
        try:
            volumes = json.loads(
                self.kubectl("get", "persistentvolumes", "-o", "json", "--request-timeout=5s")
            )
        except NodeError:  # that it does not answer is told elsewhere
            return []
        from swath_sde.cluster._volumes import oversized  # noqa: PLC0415 -- needed for this alone

        return oversized(volumes["items"], self.state / "data" / "volumes")

    def plan(self) -> list[Change]:
        """Return what `up` would do; nothing is changed."""
        folder = programs_folder()
        built = Action.NONE if folder.is_dir() else Action.CREATE
        changes = [Change("cluster programs", f"Kubernetes {kubernetes_version()}", built)]
        recorded = self._recorded()
        if recorded is None:
            return [*changes, Change("cluster", self.installation.name, Action.CREATE)]
        details = [f"{path.name}: differs" for path in self._differing(self._desired(folder, recorded))]
        if not Node(recorded).runs:
            details.append(STOPPED)
        action = Action.UPDATE if details else Action.NONE
        return [*changes, Change("cluster", self.installation.name, action, tuple(details))]

    def up(self, progress: Progress = _silent) -> bool:
        """See to it that the cluster runs as the installation says; return whether anything was done.

        What is right already stays as it is; what a call that was interrupted has left is taken up.

        Raises
        ------
        NotPossibleError
            It cannot work here; nothing was changed.
        BuildError
            Its programs cannot be built.
        NoRoomError
            It runs, but its disk is full.
        NodeError
            It does not come up, or another process is changing it.
        """
        with locked(self.state):
            recorded = self._recorded()
            running = recorded is not None and Node(recorded).runs
            if running and (full := self.shortage()):
                raise NoRoomError(full)
            if not running:
                self._refuse_or_prepare(recorded, progress)
            programs = build_programs(progress)
            settings = self._desired(programs, recorded)
            differing = self._differing(settings)
            if running and differing:
                progress("cluster: its settings have changed, the node is started again")
                Node(settings).stop()
                running = False
            if not running:
                self._start(settings, progress)
                return True
            return self._look_after(settings, progress)

    def down(self, progress: Progress = _silent) -> bool:
        """Stop everything; data stays. Return whether anything ran."""
        with locked(self.state):
            return self._down(progress)

    def reset(self, progress: Progress = _silent) -> None:
        """Stop everything and remove all data of the cluster with its keys.

        The installation's own authority (``trust/``) stays: browsers may have been told to trust it.
        """
        with locked(self.state):
            self._down(progress)
            progress("cluster: removing its data")
            for name in ("data", "node", "log"):
                if (self.state / name).exists():
                    shutil.rmtree(self.state / name)
            for name in ("cluster.json", "kubeconfig", "supervisor.conf", "ready"):
                (self.state / name).unlink(missing_ok=True)

    @property
    def made(self) -> bool:
        """Whether it was ever started since its data was last removed, even if what says so is damaged."""
        return (self.state / "cluster.json").exists()

    @property
    def idle(self) -> State | None:
        """``absent`` or ``stopped`` where it does not run, None where it does."""
        settings = self._recorded()
        if settings is None:
            return "absent"
        return None if Node(settings).runs else "stopped"

    def status(self) -> ClusterStatus:
        """Return how the cluster is."""
        settings = self._recorded()
        full = self.shortage()
        notes = (*([full] if full else []), *remarks(domain=self.installation.domain))
        version = kubernetes_version()
        if settings is None:
            return ClusterStatus(self.installation.name, "absent", version, remarks=notes)
        node = Node(settings)
        programs = node.programs()
        about = ClusterStatus(
            self.installation.name,
            "stopped",
            version,
            api=f"https://127.0.0.1:{settings.api_port}",
            https_port=settings.https_port,
            kubeconfig=str(self.kubeconfig),
            supervised_by="systemd" if supervised_by_systemd() else "supervisord",
            network_policies_enforced=any(item.name == "policies" and item.pid for item in programs),
            certificates_until=certificates_until(settings),
            programs=tuple(
                ProgramStatus(item.name, item.state, int(time.time()) - item.since if item.pid else 0)
                for item in programs
            ),
            remarks=notes,
        )
        return replace(about, state=self._state(settings, node, about))

    def run(self, words: Sequence[str]) -> str:
        """Run a command in the node, as root; return what it wrote."""
        return self._node().run(words)

    def import_images(self, archive: Path) -> list[str]:
        """Give images of an archive (Docker or OCI) to the container runtime; return their references.

        Raises
        ------
        NoRoomError
            The disk is full; what was imported before stays.
        NodeError
            The cluster does not run, or the runtime refuses the archive.
        """
        try:
            return self._node().import_images(archive)
        except NodeError as error:
            if full := self.shortage():
                raise NoRoomError(f"{full} ({error})") from None
            raise

    def kubectl(self, *words: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator; return what it wrote."""
        done = subprocess.run(  # noqa: S603 -- no shell, no words of strangers
            [str(kubectl_binary()), f"--kubeconfig={self.kubeconfig}", *words],
            check=False,
            capture_output=True,
            text=True,
            input=stdin,
        )
        if done.returncode:
            raise NodeError(f"kubectl {' '.join(words)}: {done.stderr.strip()[-800:]}")
        return done.stdout

    def _recorded(self) -> Settings | None:
        path = self.state / "cluster.json"
        return Settings.read(path) if path.exists() else None

    def _bare(self) -> Settings:
        """Return settings that are enough to find what a node has left where its own are lost."""
        return Settings.of({"name": self.installation.name, "state": str(self.state)})

    def _node(self) -> Node:
        settings = self._recorded()
        if settings is None:
            raise NodeError(f"there is no cluster {self.installation.name}: `swath cluster up` makes it")
        return Node(settings)

    def _desired(self, programs: Path, recorded: Settings | None) -> Settings:
        installation = self.installation
        running = recorded is not None and Node(recorded).runs
        kept = recorded is not None and recorded.api_port and (running or is_free(recorded.api_port))
        return Settings(
            name=installation.name,
            domain=installation.domain,
            https_port=installation.where.https_port,
            api_port=recorded.api_port if recorded is not None and kept else own_port(str(self.state)),
            issuer=installation.issuer,
            ingress_namespace=installation.namespace("ingress"),
            state=str(self.state),
            programs=str(programs),
            python=sys.executable,
            policies=recorded.policies if recorded is not None and running else can_queue(),
        )

    def _files(self, settings: Settings) -> dict[Path, str]:
        """Return what is to stand in the files that the node is started with."""
        files = configuration_files(
            settings,
            runtime_capped=not _has_capability(24),  # CAP_SYS_RESOURCE
            cgroup_root=Cgroups(settings.identity).root,
            authority=installation_authority(self.installation).pem,
        )
        layout = settings.layout
        return {layout.configuration / name: text for name, text in files.items()} | {
            layout.node / "supervisor.conf": inner_supervisor(settings),
            layout.state / "supervisor.conf": Node(settings).outer_configuration(),
            layout.settings: settings.text(),  # the last: where it is, the others are
        }

    def _differing(self, settings: Settings) -> list[Path]:
        return [
            path
            for path, text in self._files(settings).items()
            if not path.exists() or path.read_text(encoding="utf-8") != text
        ]

    def _refuse_or_prepare(self, recorded: Settings | None, progress: Progress) -> None:
        """Refuse where a start is not possible; else clear what a dead node left, and install packages."""
        earlier = Node(recorded or self._bare())
        if earlier.remains:
            progress("cluster: clearing what an earlier node has left")
            earlier.stop()
        if found := self.findings():
            raise NotPossibleError(found)
        if missing := missing_packages():
            install_missing(missing, progress)
        for note in remarks(domain=self.installation.domain):
            progress(f"cluster: note: {note}")

    def _start(self, settings: Settings, progress: Progress) -> None:
        layout = settings.layout
        layout.prepare()
        keep_keys(settings)
        for path, text in self._files(settings).items():
            path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            write_whole(path, text, mode=0o600 if path.name in {"supervisor.conf", "cluster.json"} else 0o644)
        (layout.state / "ready").unlink(missing_ok=True)
        progress("cluster: starting the node")
        node = Node(settings)
        node.start()
        self._make_ready(settings, progress, since=time.time())

    def _make_ready(self, settings: Settings, progress: Progress, *, since: float) -> None:
        wait_for_api(settings, progress)
        progress("cluster: waiting for the node to be ready")
        Node(settings).import_images(Path(settings.programs) / "pause.tar")
        self._first_objects()
        wait_for_node(settings, self.kubectl, since=since)
        mark = settings.layout.state / "ready"
        mark.touch()
        try:
            wait_for_all(self.status)
        except NodeError:
            mark.unlink()  # so that the next call looks again
            raise
        progress(f"cluster: Kubernetes {kubernetes_version()} is ready")

    def _look_after(self, settings: Settings, progress: Progress) -> bool:
        """See to a node that runs; return whether anything was done."""
        if kept := supervised_by_systemd() and not Node(settings).unit.in_place:
            progress("cluster: systemd is told to start it with the machine")
            Node(settings).unit.put_in_place()
        renewed = renew(settings)
        if renewed:
            progress(f"cluster: certificates renewed; started again: {', '.join(sorted(renewed))}")
        unfinished = not (settings.layout.state / "ready").exists()
        if unfinished or renewed or not api_ready(settings):
            Node(settings).try_again()
            self._make_ready(settings, progress, since=0)
            return True
        return kept

    def _down(self, progress: Progress) -> bool:
        try:
            recorded = self._recorded()
        except NodeError:  # damaged: to stop a node, its name is enough
            recorded = None
        node = Node(recorded or self._bare())
        ran = node.remains
        if ran:
            progress("cluster: stopping pods and node")
            node.stop()
        (self.state / "ready").unlink(missing_ok=True)
        return ran

    def _first_objects(self) -> None:
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": first_objects()})
        until = time.monotonic() + 60
        while True:
            try:
                self.kubectl(
                    "apply", "--server-side", "--force-conflicts", "--field-manager=swath-cluster", "-f", "-",
                    stdin=listed,
                )  # fmt: skip
            except NodeError:  # some of it is ready a moment later than the server says
                if time.monotonic() > until:
                    raise
                time.sleep(0.5)
            else:
                return

    def _state(self, settings: Settings, node: Node, about: ClusterStatus) -> State:
        if not node.runs:
            return "degraded" if node.remains else "stopped"
        if not (settings.layout.state / "ready").exists():
            return "starting"
        if not all(program.state == "RUNNING" for program in about.programs) or not api_ready(settings):
            return "degraded"
        if self.shortage():
            return "degraded"
        try:
            ready = node_ready(self.kubectl("get", "node", settings.name, "-o", "json"), since=0)
        except NodeError:
            ready = False
        return "ready" if ready else "degraded"


def _has_capability(number: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapBnd:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False
