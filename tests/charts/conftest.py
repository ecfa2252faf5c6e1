"""Charts as Helm renders them, without a cluster."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
CHARTS = REPOSITORY / "charts"
NAMES = sorted(path.parent.name for path in CHARTS.glob("*/values.schema.json"))
KUBERNETES = "1.35.4"

collect_ignore = ["hub"]  # runs in the environment of the hub's image: see test_hub.py

IMAGE = {"tag": "test"}
LEAST: dict[str, dict[str, Any]] = {
    "ingress": {"image": IMAGE},
    "registry": {"image": IMAGE},
    "postgresql": {"image": IMAGE},
    "keycloak": {"image": IMAGE},
    "hub": {"image": IMAGE, "proxy": {"image": IMAGE}, "workspace": {"image": IMAGE}},
}
"""The values that a chart cannot do without."""

DIGEST = "sha256:" + "0123456789abcdef" * 4
RESOURCES = {"requests": {"cpu": "100m", "memory": "200Mi"}, "limits": {"cpu": "1", "memory": "400Mi"}}
ROUTES = [
    {"host": "keycloak.sde.test", "service": "keycloak", "namespace": "sde-keycloak", "port": 8080},
    {"host": "hub.sde.test", "service": "proxy", "namespace": "sde-hub", "port": 8000, "websockets": True},
]
USED: dict[str, dict[str, Any]] = {
    "ingress": {
        "installation": "sde",
        "image": {"repository": "localhost/swath/haproxy", "digest": DIGEST},
        "httpsPort": 443,
        "replicas": 2,
        "service": {"type": "LoadBalancer", "nodePort": None},
        "routes": ROUTES,
    },
    "registry": {
        "installation": "sde",
        "image": {"digest": DIGEST},
        "host": "registry.sde.test",
        "httpsPort": 443,
        "storage": {"size": "1Ti", "class": "fast"},
        "garbageCollection": {"enabled": False, "schedule": "0 1 * * 0"},
        "resources": RESOURCES,
    },
    "postgresql": {
        "installation": "sde",
        "image": {"digest": DIGEST},
        "storage": {"size": "1Gi", "class": "fast"},
        "clients": ["keycloak"],
        "networkPolicy": {"dns": {"cidr": "10.0.2.100/32"}},
    },
    "keycloak": {
        "installation": "sde",
        "image": {"digest": DIGEST},
        "host": "keycloak.sde.test",
        "httpsPort": 443,
        "database": {"host": "postgresql.sde-postgresql"},
        "networkPolicy": {"extraEgress": [{"ports": [{"port": 443}]}]},
    },
    "hub": {
        "image": {"digest": DIGEST},
        "proxy": {"image": {"digest": DIGEST}},
        "workspace": {"image": {"digest": DIGEST}},
        "installation": "sde",
        "host": "hub.sde.test",
        "oidc": {"issuer": "https://keycloak.sde.test:8443/realms/sde"},
        "access": {"allowedGroups": ["scientists"], "adminGroups": ["admins"]},
        "profiles": ["code-server"],
        "culling": {"idleMinutes": 10, "maxAgeHours": 2},
        "storage": {"size": "1Gi", "class": "fast"},
        "networkPolicy": {"internet": {"enabled": False}, "addresses": ["192.0.2.7/32"]},
    },
}
"""Values that an installation might have, all of them other than the defaults."""


@dataclass(frozen=True)
class Helm:
    """Renders charts; a refusal is told as Helm tells it."""

    program: str

    def run(self, chart: str, values: dict[str, Any]) -> subprocess.CompletedProcess[str]:
        command = [self.program, "template", chart, str(CHARTS / chart), "--namespace", f"swath-{chart}"]
        return subprocess.run(
            [*command, "--kube-version", KUBERNETES, "--values", "-"],
            input=json.dumps(values),
            capture_output=True,
            text=True,
            check=False,
        )

    def render(self, chart: str, values: dict[str, Any]) -> str:
        done = self.run(chart, values)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def objects(self, chart: str, values: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        text = self.render(chart, LEAST[chart] if values is None else values)
        return [body for body in yaml.safe_load_all(text) if body]

    def refusal(self, chart: str, values: dict[str, Any]) -> str:
        done = self.run(chart, values)
        assert done.returncode != 0, "rendered what it should refuse"
        return done.stderr


def _helm_program() -> str:
    """Return SWATH_HELM, the platform's own Helm, or what is on PATH."""
    if given := os.environ.get("SWATH_HELM"):
        return given
    try:
        from swath_sde.cluster import helm_binary
    except ImportError:
        found = shutil.which("helm")
        assert found, "no helm: set SWATH_HELM to the program"
        return found
    return str(helm_binary())


@pytest.fixture(scope="session")
def helm() -> Helm:
    return Helm(_helm_program())


def python_of(lock: Path) -> Path:
    """Return the interpreter of an environment made of a hashed lock, kept in ``.cache`` until it changes."""
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:16]
    home = REPOSITORY / ".cache" / f"charts-{lock.parent.name}-{digest}"
    home.parent.mkdir(exist_ok=True)
    uv = [sys.executable, "-m", "uv"]
    # Several workers of pytest come here at once.
    with (home.parent / f"charts-{lock.parent.name}.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            python = str(home / "bin" / "python")
            subprocess.run([*uv, "venv", "--quiet", "--python", sys.executable, str(home)], check=True)
            install = ["pip", "sync", "--quiet", "--require-hashes", "--python", python, str(lock)]
            subprocess.run([*uv, *install], check=True)
            (home / "complete").touch()
    return home / "bin" / "python"


def pod_specs(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return the specification of every pod that objects lead to, by kind and name."""
    found = {}
    for body in objects:
        name = f"{body['kind']}/{body['metadata']['name']}"
        spec = body.get("spec", {})
        if body["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec and "spec" in spec["template"]:
            found[name] = spec["template"]["spec"]
    return found


@pytest.fixture(params=[(name, kind) for name in NAMES for kind in ("least", "used")], ids="-".join)
def rendered(request: pytest.FixtureRequest, helm: Helm) -> list[dict[str, Any]]:
    """Objects of each chart, with the least values and with an installation's."""
    name, kind = request.param
    return helm.objects(name, (LEAST if kind == "least" else USED)[name])
