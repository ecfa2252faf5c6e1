"""Builds as Jobs in a cluster: by kaniko's executor where it can be pulled, or by an image of our own.

All take the same arguments and the same pod: the context comes in as a compressed tar on standard input, the
package sources from a Secret (a mirror may want a login), and what is built goes straight to the registry.
"""

from __future__ import annotations

import base64
import io
import json
import subprocess
import tarfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from swath_sde.images._apt import MOUNTED
from swath_sde.images._errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from swath_sde.images._catalogue import Image

KANIKO = "ghcr.io/osscontainertools/kaniko:v1.28.2"
"""Executor of the maintained fork of kaniko. Pin it by digest in a site's own registry mirror."""

KINDS = ("kaniko", "builder", "buildkit")
"""What can build in a cluster: kaniko, or buildah or BuildKit in an image of our own."""

_CERTIFICATE = "/etc/swath/trust/bundle.crt"
_LOGIN = {"kaniko": "/kaniko/.docker", "builder": "/run/swath/login", "buildkit": "/run/swath/login"}
"""Folder where each looks for the registry's login, a file ``config.json`` there."""

_PATIENCE = 600.0
"""Seconds that a build may wait for a node and for the image that builds."""

_HOPELESS = {"ImagePullBackOff", "InvalidImageName", "CreateContainerConfigError"}
"""Reasons of a container to wait that do not pass by themselves."""

_ENVIRONMENT = {
    "builder": {"REGISTRY_AUTH_FILE": f"{_LOGIN['builder']}/config.json"},
    "buildkit": {"DOCKER_CONFIG": _LOGIN["buildkit"]},
}
"""What tells our own images where the registry's login is."""

_WORK = {"builder": "/var/lib/containers", "buildkit": "/var/lib/buildkit"}
"""Where our own images unpack and build."""

_CAPABILITIES = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "SETFCAP", "SETGID", "SETUID", "SYS_CHROOT"]
"""What unpacking another image's root file system takes; *baseline* allows all of them."""


@dataclass(frozen=True, slots=True)
class Job:
    """A build in a cluster."""

    image: Image
    """What is built."""
    registry: str
    """Registry and path that it is pushed to and that its parents are pulled from."""
    namespace: str
    """Namespace of builds, of which the Pod Security level is *baseline* (our own images: *privileged*)."""
    executor: str
    """Reference of the image that builds."""
    kind: str = "kaniko"
    """``kaniko``, ``builder`` (buildah) or ``buildkit``."""

    @property
    def name(self) -> str:
        """Name of its objects."""
        return f"build-{self.image.name}-{self.image.tag}"

    @property
    def destination(self) -> str:
        """Reference that it is pushed under."""
        return f"{self.registry}/{self.image.name}:{self.image.tag}"

    def arguments(self, parents: Mapping[str, str]) -> list[str]:
        """Return the command line of the executor; ``parents`` are build argument → reference."""
        arguments = [
            "--context=tar://stdin",
            "--dockerfile=Dockerfile",
            f"--destination={self.destination}",
            "--digest-file=/dev/termination-log",
            f"--registry-certificate={self.registry.partition('/')[0]}={_CERTIFICATE}",
            f"--label=org.opencontainers.image.title=swath/{self.image.name}",
            f"--label=org.opencontainers.image.version={self.image.tag}",
            *(f"--build-arg={argument}={reference}" for argument, reference in parents.items()),
        ]
        if self.kind == "kaniko":
            # One layer a stage, as on this machine; mounts are left out of it by kaniko itself.
            arguments += ["--single-snapshot", "--snapshot-mode=redo", "--reproducible", "--push-retry=3"]
            arguments += ["--ignore-path=/run/swath"]
        return arguments

    def objects(self, apt: Path, *, parents: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return what is to be created: the package sources and the Job.

        Parameters
        ----------
        apt
            Folder of package sources, as ``package_sources`` makes it.
        parents
            Build argument → reference of the image that it names.
        """
        labels = {
            "app.kubernetes.io/name": "image-build",
            "app.kubernetes.io/instance": self.image.name,
            "app.kubernetes.io/component": self.kind,
            "app.kubernetes.io/part-of": "swath",
            "app.kubernetes.io/managed-by": "swath",
        }
        files = [path for path in sorted(apt.rglob("*")) if path.is_file()]
        # Keys of a Secret have no slash: the volume puts each file where it belongs.
        keys = {f"file-{number}": path for number, path in enumerate(files)}
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
            "type": "Opaque",
            "data": {key: base64.b64encode(path.read_bytes()).decode() for key, path in keys.items()},
        }
        items = [{"key": key, "path": path.relative_to(apt).as_posix()} for key, path in keys.items()]
        pod = {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "imagePullSecrets": [{"name": "registry-pull"}],
            "containers": [self._container(parents)],
            "volumes": [
                {"name": "apt", "secret": {"secretName": self.name, "items": items, "defaultMode": 0o444}},
                {"name": "trust", "configMap": {"name": "swath-ca"}},
                {
                    "name": "login",
                    "secret": {
                        "secretName": "registry-push",
                        "items": [{"key": ".dockerconfigjson", "path": "config.json"}],
                    },
                },
                {"name": "work", "emptyDir": {"sizeLimit": "20Gi"}},
            ],
        }
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": self.name, "namespace": self.namespace, "labels": labels},
            "spec": {
                # The context is on standard input: a second try would have none.
                "backoffLimit": 0,
                "activeDeadlineSeconds": 3600,
                "ttlSecondsAfterFinished": 3600,
                "template": {"metadata": {"labels": labels}, "spec": pod},
            },
        }
        return [secret, job]

    def _container(self, parents: Mapping[str, str]) -> dict[str, Any]:
        security: dict[str, Any] = {
            "runAsUser": 0,
            "runAsNonRoot": False,
            "seccompProfile": {"type": "RuntimeDefault"},
            "allowPrivilegeEscalation": True,
            "capabilities": {"drop": ["ALL"], "add": _CAPABILITIES},
        }
        if self.kind == "builder":
            # buildah mounts for each step what the step sees, which needs more than any set below this one.
            security = {"runAsUser": 0, "privileged": True}
        if self.kind == "buildkit":
            # An ordinary user, who makes a user namespace and mounts in it: the node's default profiles deny
            # that. The two capabilities are for those who map its users; no process begins with them.
            security = {
                "runAsUser": 1000,
                "runAsGroup": 1000,
                "runAsNonRoot": True,
                "seccompProfile": {"type": "Unconfined"},
                "appArmorProfile": {"type": "Unconfined"},
                "allowPrivilegeEscalation": True,
                "capabilities": {"drop": ["ALL"], "add": ["SETGID", "SETUID"]},
            }
        mounts = [
            {"name": "apt", "mountPath": MOUNTED, "readOnly": True},
            {"name": "trust", "mountPath": "/etc/swath/trust", "readOnly": True},
            {"name": "login", "mountPath": _LOGIN[self.kind], "readOnly": True},
        ]
        if self.kind in _WORK:
            mounts.append({"name": "work", "mountPath": _WORK[self.kind]})
        container: dict[str, Any] = {
            "name": "build",
            "image": self.executor,
            "args": self.arguments(parents),
            "stdin": True,
            "stdinOnce": True,
            "securityContext": security,
            "resources": {
                "requests": {"cpu": "500m", "memory": "1Gi", "ephemeral-storage": "4Gi"},
                "limits": {"cpu": "2", "memory": "6Gi", "ephemeral-storage": "20Gi"},
            },
            "terminationMessagePath": "/dev/termination-log",
            "volumeMounts": mounts,
        }
        if environment := _ENVIRONMENT.get(self.kind):
            container["env"] = [{"name": name, "value": value} for name, value in environment.items()]
        return container

    def run(
        self, kubectl: Sequence[str], context: Path, apt: Path, *, parents: Mapping[str, str], log: Path
    ) -> str:
        """Build in the cluster and return the digest of what was pushed.

        Parameters
        ----------
        kubectl
            The command and its options that lead to the cluster.
        context
            Folder of the build context.
        apt
            Folder of package sources.
        parents
            Build argument → reference.
        log
            File that gets what the build prints.

        Raises
        ------
        BuildError
            If the cluster refuses it or the build fails.
        """
        base = [*kubectl, "--namespace", self.namespace]
        manifest = json.dumps(
            {"apiVersion": "v1", "kind": "List", "items": self.objects(apt, parents=parents)}
        )
        self._kubectl([*base, "delete", "job,secret", self.name, "--ignore-not-found", "--wait"])
        self._kubectl([*base, "create", "--filename", "-"], given=manifest.encode())
        try:
            name = self._begun(base)
            with log.open("ab") as target:
                attached = subprocess.run(  # noqa: S603 -- no shell
                    [*base, "attach", "--stdin", "--quiet", name],
                    input=packed(context),
                    stdout=target,
                    stderr=target,
                    check=False,
                )
            ended = self._ended(base, name)
            if ended.get("exitCode") != 0:
                told = "\n".join(f"  {line}" for line in log.read_text(errors="replace").splitlines()[-15:])
                raise BuildError(
                    f"the build of {self.image.name} in the cluster failed (exit status "
                    f"{ended.get('exitCode')}, kubectl attach {attached.returncode}). "
                    f"All of it: {log}. Its end:\n{told}"
                )
            return str(ended.get("message", "")).strip()
        finally:
            self._kubectl(
                [*base, "delete", "job,secret", self.name, "--ignore-not-found", "--wait=false"],
                may_fail=True,
            )

    def _begun(self, base: Sequence[str]) -> str:
        """Wait until the build runs, and return the name of its pod; what keeps it from that is told."""
        end = time.monotonic() + _PATIENCE
        told = "no pod was made"
        pods = [*base, "get", "pods", "--selector", f"job-name={self.name}", "--output=json"]
        while time.monotonic() < end:
            for found in json.loads(self._kubectl(pods))["items"]:
                status = found["status"]
                if status.get("phase") != "Pending":
                    return str(found["metadata"]["name"])
                told = "it waits for a node"
                for container in status.get("containerStatuses", ()):
                    waiting = container["state"].get("waiting", {})
                    told = f"{waiting.get('reason')}: {waiting.get('message', '')}".strip(": ")
                    if waiting.get("reason") in _HOPELESS:
                        raise BuildError(
                            f"the build of {self.image.name} cannot begin in the cluster, as {self.executor} "
                            f"cannot be pulled ({told}): set images.executor to where the cluster can pull "
                            "it from, or images.builder: buildah or buildkit, which bring their own"
                        )
            if told == "no pod was made" and (why := self._refused(base)):
                raise BuildError(f"the cluster refuses the pod of the build of {self.image.name}: {why}")
            time.sleep(0.5)
        raise BuildError(
            f"the build of {self.image.name} has not begun in the cluster after {_PATIENCE:.0f} s: {told}"
        )

    def _ended(self, base: Sequence[str], pod: str) -> dict[str, Any]:
        """Return how the build ended; the cluster knows of it a moment after its output does."""
        path = "{.status.containerStatuses[0].state.terminated}"
        end = time.monotonic() + 60
        while True:
            told = self._kubectl([*base, "get", "pod", pod, f"--output=jsonpath={path}"])
            if told or time.monotonic() > end:
                return dict(json.loads(told or "{}"))
            time.sleep(0.5)

    def _refused(self, base: Sequence[str]) -> str:
        """Return what the Job's controller was told when it made the pod, if that was refused."""
        of = f"involvedObject.name={self.name},reason=FailedCreate"
        events = [*base, "get", "events", "--field-selector", of, "--output=jsonpath={.items[*].message}"]
        return self._kubectl(events).strip()

    @staticmethod
    def _kubectl(command: Sequence[str], *, given: bytes | None = None, may_fail: bool = False) -> str:
        done = subprocess.run(  # noqa: S603 -- no shell
            command, input=given, capture_output=True, check=False
        )
        if done.returncode and not may_fail:
            raise BuildError(f"kubectl failed: {done.stderr.decode(errors='replace').strip()[-1500:]}")
        return done.stdout.decode()


def packed(context: Path) -> bytes:
    """Return a build context as a compressed tar, equal for equal contexts."""

    def plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        return member

    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for path in sorted(context.iterdir()):
            archive.add(path, arcname=path.name, filter=plain)
    return buffer.getvalue()
