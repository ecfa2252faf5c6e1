"""An installation on a cluster that Swath did not make for it: by a kubeconfig, with another registry.

The cluster stands in for a user's: an embedded one with nothing but ingress and registry. The installation
under test knows of it what `swath.yaml` says: kubeconfig, registry, login, authority. Its images are built in
the cluster.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from installation import KUBECTL, Platform, free_port
from swath_sde.configuration import load_installation
from swath_sde.images import BuildError, Job, Records, catalogue
from swath_sde.images._apt import package_sources


def described(platform: Platform, **changes: Any) -> Platform:
    """Return an installation with some parts of its description changed, in the same file."""
    description = {**platform.description, **changes}
    platform.file.write_text(yaml.safe_dump(description))
    return replace(platform, description=description)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Run the cluster of somebody, with a registry."""
    folder = tmp_path_factory.mktemp("site")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
    environment["XDG_DATA_HOME"] = str(folder / "data")
    if home := environment.pop("SWATH_HOME", None):
        environment["XDG_CACHE_HOME"] = f"{home}/cache"
    made = Platform(folder / "swath.yaml", environment, {})
    made = described(
        made,
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


@pytest.fixture(scope="module")
def mine(site: Platform, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Describe an installation on that cluster."""
    folder = tmp_path_factory.mktemp("mine")
    environment = {**site.environment, "XDG_DATA_HOME": str(folder / "data")}
    host = f"registry.site.localhost:{site.port}"
    login = folder / "login.json"
    login.touch(mode=0o600)
    pull = site.secret("registry", "registry-pull", ".dockerconfigjson")
    login.write_text(json.dumps({"auths": {host: {"auth": json.loads(pull)["auths"][host]["auth"]}}}))
    return described(
        Platform(folder / "swath.yaml", environment, {}),
        version=1,
        name="mine",
        domain="mine.localhost",
        where={
            "kind": "kubeconfig",
            "kubeconfig": str(site.state / "kubeconfig"),
            "https_port": 443,
            "service": "NodePort",
        },
        images={
            "registry": f"{host}/mine",
            "login": "login.json",
            "authority": str(site.state / "trust" / "ca.crt"),
            "builder": "buildah",
            "place": "cluster",
        },
        components={
            "registry": {"enabled": False},
            "postgresql": {"storage": "1Gi"},
            "keycloak": {"enabled": False},
            "hub": {"enabled": False},
        },
    )


@pytest.fixture
def by_buildkit(mine: Platform) -> Iterator[Platform]:
    """Describe the same installation with BuildKit, and a place in the registry where nothing is yet."""
    images = {**mine.description["images"], "builder": "buildkit", "place": None}
    images["registry"] = images["registry"].removesuffix("/mine") + "/buildkit"
    other = described(mine, images=images)
    try:
        done = other.swath("apply", "--only", "secrets")
        assert done.returncode == 0, done.stderr
        yield other
    finally:
        described(mine)


def test_a_plan_tells_all_that_is_not_there_and_makes_nothing(site: Platform, mine: Platform) -> None:
    changes = {(change["kind"], change["name"]): change["action"] for change in mine.plan()}
    assert changes[("Namespace", "mine-builds")] == "create"
    assert changes[("Secret", "mine-builds/registry-push")] == "create"
    assert changes[("image in the registry", "postgresql")] == "create"
    assert changes[("Helm release", "ingress")] == "create"
    assert not [name for kind, name in changes if kind == "image in the registry" and name == "hub"]
    assert "mine-" not in site.kubectl("get", "namespaces")


def test_images_are_built_in_the_cluster_and_the_components_run_from_them(
    site: Platform, mine: Platform
) -> None:
    done = mine.swath("apply")
    assert done.returncode == 0, done.stderr[-5000:]
    assert "haproxy is built in the cluster" in done.stderr
    assert "postgresql is built in the cluster" in done.stderr
    assert mine.plan() == []
    told = json.loads(mine.swath("status", "--json").stdout)
    assert told["ready"]
    assert [one["component"] for one in told["components"]] == ["ingress", "postgresql"]
    os.environ["XDG_DATA_HOME"], before = mine.environment["XDG_DATA_HOME"], os.environ.get("XDG_DATA_HOME")
    try:
        built = Records(load_installation(mine.file).name).read()
    finally:
        os.environ.pop("XDG_DATA_HOME") if before is None else os.environ.update(XDG_DATA_HOME=before)
    for component, image in (("ingress", "haproxy"), ("postgresql", "postgresql")):
        pods = json.loads(site.kubectl("-n", f"mine-{component}", "get", "pods", "-o", "json"))["items"]
        (status,) = (one["status"]["containerStatuses"][0] for one in pods)
        assert status["ready"]
        assert status["imageID"].endswith(f"/mine/{image}@{built[image].digest}")
    # Neither the builds nor the sources that they used are left.
    left = site.kubectl("-n", "mine-builds", "get", "jobs,pods", check=False)
    assert "No resources found" in left
    secrets = json.loads(site.kubectl("-n", "mine-builds", "get", "secrets", "-o", "json"))["items"]
    assert {one["metadata"]["name"] for one in secrets} == {"registry-pull", "registry-push"}


def test_a_second_apply_builds_nothing(mine: Platform) -> None:
    done = mine.swath("apply")
    assert done.returncode == 0, done.stderr
    assert "built" not in done.stderr
    assert "Nothing was changed" in done.stdout


def test_a_builder_that_cannot_be_pulled_is_told_with_what_to_do(site: Platform, mine: Platform) -> None:
    images = {**mine.description["images"], "builder": "kaniko", "place": None}
    other = described(mine, images={**images, "executor": f"registry.site.localhost:{site.port}/no/kaniko:1"})
    try:
        assert other.swath("apply", "--only", "secrets").returncode == 0
        level = site.kubectl("get", "namespace", "mine-builds", "-o", "yaml")
        assert "pod-security.kubernetes.io/enforce: baseline" in level
        told = other.swath("image", "build", "registry")
    finally:
        described(mine)
    assert told.returncode == 1
    assert "cannot be pulled (ImagePullBackOff" in told.stderr
    assert "set images.executor to where the cluster can pull it from" in told.stderr
    assert "No resources found" in site.kubectl("-n", "mine-builds", "get", "jobs", check=False)


def test_components_work_on_it(site: Platform, mine: Platform) -> None:
    password = site.kubectl(
        "-n", "mine-postgresql", "get", "secret", "postgresql", "-o",
        'go-template={{index .data "postgres-password" | base64decode}}',
    )  # fmt: skip
    answer = site.kubectl(
        "-n", "mine-postgresql", "exec", "postgresql-0", "-i", "--", "sh", "-c",
        "read -r PGPASSWORD; export PGPASSWORD; psql -h 127.0.0.1 -U postgres -Atc 'select 6*7'",
        given=f"{password}\n",
    )  # fmt: skip
    assert answer.strip() == "42"
    assert mine.swath("cluster", "status").returncode == 2  # it is not Swath's to look after


def test_buildkit_builds_as_an_ordinary_user_and_what_it_built_runs(
    site: Platform, by_buildkit: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = by_buildkit.swath("image", "build", "haproxy")
    assert done.returncode == 0, done.stderr
    assert "haproxy is built in the cluster" in done.stderr
    monkeypatch.setenv("XDG_DATA_HOME", by_buildkit.environment["XDG_DATA_HOME"])
    built = Records("mine").read()["haproxy"]
    assert "/buildkit/haproxy:" in built.reference
    bill = json.loads(by_buildkit.swath("image", "sbom", "haproxy").stdout)
    assert "haproxy" in {component["name"] for component in bill["components"]}
    pod = {
        "imagePullSecrets": [{"name": "registry-pull"}],
        "containers": [{"name": "once", "image": built.reference, "command": ["haproxy", "-v"]}],
    }
    place = ("-n", "mine-builds")
    site.kubectl(
        *place, "run", "once", "--image", built.reference, "--restart=Never", "--overrides",
        json.dumps({"spec": pod}),
    )  # fmt: skip
    try:
        told = site.eventually(
            lambda: site.kubectl(*place, "logs", "once", check=False), lambda told: "HAProxy version" in told
        )
        assert "HAProxy version 3" in told
    finally:
        site.kubectl(*place, "delete", "pod", "once")


def test_a_step_that_fails_under_buildkit_is_told_and_leaves_nothing(
    site: Platform, by_buildkit: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", by_buildkit.environment["XDG_DATA_HOME"])
    built = Records("mine").read()
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "Dockerfile").write_text(
        "ARG BASE\nFROM ${BASE}\nUSER 0:0\n"
        "RUN test -f /run/swath/apt/apt.conf && id -u && echo no rule to make target && exit 7\n"
    )
    job = Job(
        image=replace(catalogue()["haproxy"], tag="broken"),
        registry=built["base"].reference.rpartition("/")[0],
        namespace="mine-builds",
        executor=built["buildkit"].reference,
        kind="buildkit",
    )
    kubectl = [str(KUBECTL), "--kubeconfig", str(site.state / "kubeconfig")]
    apt = package_sources(tmp_path / "apt", suite="trixie")
    with pytest.raises(
        BuildError, match=r"the build of haproxy in the cluster failed .*exit status 1"
    ) as told:
        job.run(
            kubectl, tmp_path / "context", apt, parents={"BASE": built["base"].reference},
            log=tmp_path / "log",
        )  # fmt: skip
    assert "no rule to make target" in str(told.value)
    assert str(told.value).endswith("exit code: 7")
    site.eventually(
        lambda: site.kubectl("-n", "mine-builds", "get", "jobs,pods", check=False),
        lambda left: "No resources found" in left,
    )


def test_what_is_removed_is_the_installation_and_nothing_else(site: Platform, mine: Platform) -> None:
    before = site.kubectl("-n", "site-registry", "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    site.kubectl("create", "namespace", "mine-notes")  # a name of this kind, but not of Swath
    gone = mine.swath("down")
    assert gone.returncode == 0, gone.stderr
    assert "Helm release postgresql" in gone.stdout
    claims = site.kubectl("-n", "mine-postgresql", "get", "pvc", "-o", "jsonpath={.items[*].status.phase}")
    assert claims == "Bound"
    gone = mine.swath("down", "--data", "--yes")
    assert gone.returncode == 0, gone.stderr
    site.eventually(
        lambda: site.kubectl("get", "namespaces", "-o", "name"),
        lambda names: "mine-builds" not in names and "mine-postgresql" not in names,
    )
    assert "namespace/mine-notes" in site.kubectl("get", "namespaces", "-o", "name")
    after = site.kubectl("-n", "site-registry", "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    assert after == before
    assert json.loads(site.swath("status", "--json").stdout)["ready"]
    assert subprocess.run(["test", "-e", site.state / "kubeconfig"], check=False).returncode == 0
    assert Path(mine.file).is_file()


def test_a_cluster_that_is_stopped_is_planned_and_taken_up(site: Platform) -> None:
    gone = site.swath("down")
    assert gone.returncode == 0, gone.stderr
    changes = {change["name"]: change for change in site.plan()}
    assert "stopped → started" in changes["site"]["details"]
    assert changes["registry"]["details"] == ["looked at when the cluster runs"]
    done = site.swath("apply")
    assert done.returncode == 0, done.stderr
    assert site.plan() == []
