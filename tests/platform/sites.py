"""A cluster that is somebody's, and an installation on it that knows of it what `swath.yaml` says.

What a user's cluster has besides, a load balancer and a wildcard record, is made here: a forwarded port, and
a zone of the cluster's name server.
"""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from installation import Platform, environment_in
from swath_sde.cluster import NODE_ADDRESS
from swath_sde.cluster._node import Node
from swath_sde.cluster._ports import own_port
from swath_sde.cluster._settings import Settings


def described(platform: Platform, **changes: Any) -> Platform:
    """Return an installation with some parts of its description changed, in the same file."""
    description = {**platform.description, **changes}
    platform.file.write_text(yaml.safe_dump(description))
    return replace(platform, description=description)


@contextmanager
def somebodys_cluster(folder: Path) -> Iterator[Platform]:
    """Run a cluster with nothing but ingress and registry, as a user's; remove it at the end."""
    made = described(
        Platform(folder / "swath.yaml", environment_in(folder), {}),
        version=1,
        name="site",
        domain="site.localhost",
        where={"kind": "embedded", "https_port": own_port(str(folder))},
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


@contextmanager
def led_to(site: Platform, mine: Platform, *, service: str, namespace: str) -> Iterator[None]:
    """Have an installation's addresses lead to a Service, on this machine and in the cluster."""
    domain = mine.description["domain"]
    zone = "".join(
        f"    template IN {kind} {domain} {{\n"
        f'        answer "{{{{ .Name }}}} 10 IN CNAME {service}.{namespace}.svc.cluster.local."\n'
        "    }\n"
        for kind in ("A", "AAAA")
    )
    corefile = site.state / "node" / "configuration" / "Corefile"
    before = corefile.read_text()
    corefile.write_text(before.replace("    kubernetes ", f"{zone}    kubernetes ", 1))
    # As a load balancer, it leads to the Service, whatever pod is behind that; the Service's address is one
    # of the node's network.
    place = ("-n", namespace, "get", f"service/{service}", "-o", "jsonpath={.spec.clusterIP}")
    node = Node(Settings.read(site.state / "cluster.json")).pid
    inside = f"EXEC:nsenter --target {node} --net socat STDIO TCP4\\:{site.kubectl(*place)}\\:{mine.port}"
    listening = f"TCP4-LISTEN:{mine.port},bind=127.0.0.1,reuseaddr,fork"
    balancer = subprocess.Popen(["socat", listening, inside], start_new_session=True)
    try:
        yield
    finally:
        os.killpg(balancer.pid, signal.SIGTERM)
        balancer.wait()
        corefile.write_text(before)


def first_password(site: Platform, user: str) -> str:
    """Return the password that a user of the installation was given."""
    template = f'go-template={{{{index .data "{user}" | base64decode}}}}'
    return site.kubectl("-n", "mine-keycloak", "get", "secret", "initial-passwords", "-o", template)


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
