"""An installation on a cluster that Swath did not make for it: by a kubeconfig, with another registry.

The cluster is that of these tests' installation, which knows nothing of the one on it. It has one component,
whose image is built in the cluster; the drill `own-cluster` has all of them, on a cluster of its own.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from installation import KUBECTL, Platform
from sites import described, installation_on, nothing_of_builds_is_left, ready_image
from swath_sde.images import BuildError, Job, Records, catalogue
from swath_sde.images._apt import package_sources


@pytest.fixture(scope="module")
def site(platform: Platform) -> Platform:
    """Give the cluster that is somebody's."""
    return platform


@pytest.fixture(scope="module")
def mine(site: Platform, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Describe an installation on that cluster."""
    others = {name: {"enabled": False} for name in ("postgresql", "keycloak", "hub")}
    return installation_on(site, tmp_path_factory.mktemp("mine"), https_port=443, components=others)


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
    assert changes[("image in the registry", "haproxy")] == "create"
    assert changes[("Helm release", "ingress")] == "create"
    assert not [name for kind, name in changes if kind == "image in the registry" and name == "hub"]
    assert "mine-" not in site.kubectl("get", "namespaces")


def test_an_image_is_built_in_the_cluster_and_the_component_runs_from_it(
    site: Platform, mine: Platform
) -> None:
    done = mine.swath("apply")
    assert done.returncode == 0, done.stderr[-5000:]
    assert "haproxy is built in the cluster" in done.stderr
    assert mine.plan() == []
    told = json.loads(mine.swath("status", "--json").stdout)
    assert told["ready"]
    assert [one["component"] for one in told["components"]] == ["ingress"]
    assert "/mine/haproxy@sha256:" in ready_image(site, "ingress")
    nothing_of_builds_is_left(site)
    assert mine.swath("cluster", "status").returncode == 2  # it is not Swath's to look after


def test_a_builder_that_cannot_be_pulled_is_told_with_what_to_do(site: Platform, mine: Platform) -> None:
    images = {**mine.description["images"], "builder": "kaniko", "place": None}
    executor = f"{mine.description['images']['registry'].partition('/')[0]}/no/kaniko:1"
    other = described(mine, images={**images, "executor": executor})
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
    pods = ("get", "pods", "--all-namespaces", "-o")
    uids = "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.uid} {end}"
    before = {one for one in site.kubectl(*pods, uids).split() if not one.startswith("mine-")}
    site.kubectl("create", "namespace", "mine-notes")  # a name of this kind, but not of Swath
    try:
        gone = mine.swath("down", "--data", "--yes")
        assert gone.returncode == 0, gone.stderr
        assert "Helm release ingress" in gone.stdout
        site.eventually(
            lambda: site.kubectl("get", "namespaces", "-o", "name"),
            lambda names: "mine-builds" not in names and "mine-ingress" not in names,
        )
        assert "namespace/mine-notes" in site.kubectl("get", "namespaces", "-o", "name")
    finally:
        site.kubectl("delete", "namespace", "mine-notes")
    after = {one for one in site.kubectl(*pods, uids).split() if not one.startswith("mine-")}
    assert after == before
    assert mine.file.is_file()
    assert site.plan() == []
