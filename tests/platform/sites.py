"""A cluster that is somebody's, and an installation on it that knows of it what `swath.yaml` says."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from installation import Platform, free_port
from swath_sde.cluster import NODE_ADDRESS


def described(platform: Platform, **changes: Any) -> Platform:
    """Return an installation with some parts of its description changed, in the same file."""
    description = {**platform.description, **changes}
    platform.file.write_text(yaml.safe_dump(description))
    return replace(platform, description=description)


@contextmanager
def somebodys_cluster(folder: Path) -> Iterator[Platform]:
    """Run a cluster with nothing but ingress and registry, as a user's; remove it at the end."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
    environment["XDG_DATA_HOME"] = str(folder / "data")
    if home := environment.pop("SWATH_HOME", None):
        environment["XDG_CACHE_HOME"] = f"{home}/cache"
    made = described(
        Platform(folder / "swath.yaml", environment, {}),
        version=1,
        name="site",
        domain="site.localhost",
        where={"kind": "embedded", "https_port": free_port()},
        components={name: {"enabled": False} for name in ("postgresql", "keycloak", "hub")},
    )
    try:
        done = made.swath("apply")
        assert done.returncode == 0, done.stderr[-5000:]
        yield made
    finally:
        gone = made.swath("down", "--data", "--yes")
    assert gone.returncode == 0, gone.stderr


def installation_on(site: Platform, folder: Path, *, https_port: int, components: dict[str, Any]) -> Platform:
    """Describe an installation on somebody's cluster: its images are built in it, for its registry."""
    host = f"registry.{site.description['domain']}:{site.port}"
    pull = json.loads(site.secret("registry", "registry-pull", ".dockerconfigjson"))
    login = folder / "login.json"
    login.touch(mode=0o600)
    login.write_text(json.dumps({"auths": {host: {"auth": pull["auths"][host]["auth"]}}}))
    environment = {**site.environment, "XDG_DATA_HOME": str(folder / "data")}
    return described(
        Platform(folder / "swath.yaml", environment, {}),
        version=1,
        name="mine",
        domain="mine.localhost",
        where={
            "kind": "kubeconfig",
            "kubeconfig": str(site.state / "kubeconfig"),
            "https_port": https_port,
            "service": "ClusterIP",
            # What stands for somebody's cluster is an embedded one, whose DNS is a process of the node.
            "dns": f"{NODE_ADDRESS}/32",
        },
        images={
            "registry": f"{host}/mine",
            "login": "login.json",
            "authority": str(site.state / "trust" / "ca.crt"),
            "builder": "buildah",
            "place": "cluster",
        },
        components={"registry": {"enabled": False}, **components},
    )


def ready_image(site: Platform, component: str) -> str:
    """Return the image, with its digest, of a component's only pod, which is ready."""
    pods = json.loads(site.kubectl("-n", f"mine-{component}", "get", "pods", "-o", "json"))["items"]
    (status,) = (one["status"]["containerStatuses"][0] for one in pods)
    assert status["ready"]
    return str(status["imageID"])


def nothing_of_builds_is_left(site: Platform) -> None:
    """Check that neither builds nor the sources that they used are there any more."""
    left = site.kubectl("-n", "mine-builds", "get", "jobs,pods", check=False)
    assert "No resources found" in left
    secrets = json.loads(site.kubectl("-n", "mine-builds", "get", "secrets", "-o", "json"))["items"]
    assert {one["metadata"]["name"] for one in secrets} == {"registry-pull", "registry-push"}
