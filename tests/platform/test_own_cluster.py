"""An installation on a cluster that Swath did not make for it: by a kubeconfig, with another registry.

The cluster is that of these tests' installation, which knows nothing of the one on it. It has one component,
whose image is built in the cluster; the drill `own-cluster` has all of them, on a cluster of its own.
"""

import json

import pytest
from installation import Platform
from sites import described, installation_on, nothing_of_builds_is_left, ready_image


@pytest.fixture(scope="module")
def site(platform: Platform) -> Platform:
    """Give the cluster that is somebody's."""
    return platform


@pytest.fixture(scope="module")
def mine(site: Platform, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Describe an installation on that cluster."""
    others = {name: {"enabled": False} for name in ("postgresql", "keycloak", "hub")}
    return installation_on(site, tmp_path_factory.mktemp("mine"), https_port=443, components=others)


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
