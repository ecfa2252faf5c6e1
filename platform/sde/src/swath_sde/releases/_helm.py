"""The helm program: called with values on its standard input, its answers read as JSON or YAML."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from swath_sde.cluster import helm_binary
from swath_sde.errors import ReleaseError
from swath_sde.objects import kubeconfig_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from swath_sde.configuration import Installation

__all__ = ["Helm", "Revision"]

_KEPT = 5
"""Revisions of a release that stay in the cluster, to roll back to."""

_SCHEMA_MARK = "values don't meet the specifications of the schema"


@dataclass(frozen=True, slots=True)
class Revision:
    """One revision of a release."""

    number: int
    """Counted from 1."""
    status: str
    """``deployed``, ``failed``, ``pending-install``, … as Helm says it."""


class Helm:
    """Helm for one release.

    Parameters
    ----------
    installation
        Whose cluster it is.
    name
        Of the release.
    """

    def __init__(self, installation: Installation, name: str) -> None:
        self.name = name
        self.namespace = installation.namespace(name)
        self._where = ["--kubeconfig", str(kubeconfig_of(installation)), "--namespace", self.namespace]
        if installation.where.context:
            self._where += ["--kube-context", installation.where.context]

    def render(self, chart: Path, values: Mapping[str, Any], *, version: str) -> list[dict[str, Any]]:
        """Return the objects that a chart makes of values for a version of Kubernetes."""
        options = ["--kube-version", version, "--values", "-"]
        text = self._run("template", self.name, str(chart), *options, values=values)
        return _documents(text, self.namespace)

    def released(self) -> list[dict[str, Any]]:
        """Return the objects of the last revision, as they were installed; nothing where there is none."""
        if self.revision() is None:
            return []
        return _documents(self._run("get", "manifest", self.name), self.namespace)

    def revision(self) -> Revision | None:
        """Return the last revision, None where the release does not exist."""
        told = json.loads(
            self._run("list", "--all", "--filter", f"^{self.name}$", "--output", "json") or "[]"
        )
        if not told:
            return None
        return Revision(number=int(told[0]["revision"]), status=str(told[0]["status"]))

    def upgrade(self, chart: Path, values: Mapping[str, Any]) -> None:
        """Install the release, or upgrade it. It does not wait until the pods are ready."""
        self._run(
            "upgrade",
            self.name,
            str(chart),
            "--install",
            "--history-max",
            str(_KEPT),
            "--values",
            "-",
            values=values,
        )

    def uninstall(self) -> None:
        """Remove the release and its objects; volumes that the chart keeps stay."""
        self._run("uninstall", self.name, "--ignore-not-found", "--wait", "--timeout", "3m")

    def _run(self, *words: str, values: Mapping[str, Any] | None = None) -> str:
        done = subprocess.run(  # noqa: S603 -- our own program, read by no shell
            [str(helm_binary()), *words, *self._where],
            input=None if values is None else json.dumps(values),
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = done.stderr.rpartition("Error: ")[2].strip()  # what precedes it are warnings
            if _SCHEMA_MARK in said:
                raise ReleaseError(f"the values of {self.name} do not fit its chart: {said}")
            raise ReleaseError(f"helm {words[0]} {self.name}: {said}")
        return done.stdout


def _documents(text: str, namespace: str) -> list[dict[str, Any]]:
    """Return the objects of a manifest, each with its namespace; a list is taken apart."""
    return list(_objects(yaml.safe_load_all(text), namespace))


def _objects(documents: Iterable[Any], namespace: str) -> Iterable[dict[str, Any]]:
    for body in documents:
        if not body:
            continue
        if body["kind"].endswith("List") and "items" in body:
            yield from _objects(body["items"], namespace)
            continue
        if body["kind"] not in _CLUSTER_WIDE:
            body["metadata"].setdefault("namespace", namespace)
        yield body


_CLUSTER_WIDE = {"Namespace", "ClusterRole", "ClusterRoleBinding", "PriorityClass", "StorageClass"}
"""Kinds of our charts' objects that have no namespace."""
