"""All components on a cluster that Swath did not make for them, and people who log in there.

The cluster stands in for a user's: an embedded one with nothing but ingress and registry.
"""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browsing import browser, log_in, start_workspace
from installation import Platform, identity_of
from playwright.sync_api import BrowserContext, expect
from sites import (
    described,
    first_password,
    installation_on,
    led_to,
    nothing_of_builds_is_left,
    ready_image,
    somebodys_cluster,
)
from swath_sde.cluster._ports import free_port
from swath_sde.configuration import load_installation
from swath_sde.images import Records

pytestmark = pytest.mark.drill

USERS = {"admin": "admins", "ada": "developers-land", "eve": "auditors"}
"""The users of the installation, and the group of each."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Run the cluster of somebody, with a registry."""
    with somebodys_cluster(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def mine(site: Platform, tmp_path_factory: pytest.TempPathFactory) -> Platform:
    """Describe an installation on that cluster, at first without people."""
    components = {
        "postgresql": {"storage": "1Gi"},
        "keycloak": {"enabled": False},
        "hub": {"enabled": False},
    }
    return installation_on(
        site, tmp_path_factory.mktemp("mine"), https_port=free_port(site.port + 1), components=components
    )


@pytest.fixture(scope="module")
def peopled(mine: Platform) -> Platform:
    """Describe the same installation with Keycloak, hub and users, whose images this machine builds."""
    images = {**mine.description["images"], "place": "machine"}
    components = {
        "registry": {"enabled": False},
        "postgresql": {"storage": "1Gi"},
        "hub": {"user_storage": "1Gi"},
    }
    groups = {
        "admins": {"role": "platform-admin"},
        "developers-land": {"role": "developer"},
        "auditors": {"role": "reader", "workspace": False},
    }
    identity = identity_of(groups, USERS)
    # Not written yet: the file is changed by the test that applies it.
    description = {**mine.description, "images": images, "components": components, "identity": identity}
    return replace(mine, description=description)


@pytest.fixture(scope="module")
def way_in(site: Platform, mine: Platform) -> Iterator[None]:
    """Have the addresses lead to the ingress, on this machine and in the cluster."""
    with led_to(site, mine, service="ingress", namespace="mine-ingress"):
        yield


@pytest.fixture
def visit(mine: Platform, chromium: str, tmp_path: Path) -> Iterator[BrowserContext]:
    """Give a browser with a new profile that trusts the installation's authority."""
    with browser(tmp_path, mine.state / "trust" / "ca.crt", chromium) as context:
        yield context


def test_images_are_built_in_the_cluster_and_the_components_run_from_them(
    site: Platform, mine: Platform
) -> None:
    assert "mine-" not in site.kubectl("get", "namespaces")
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
        assert ready_image(site, component).endswith(f"/mine/{image}@{built[image].digest}")
    nothing_of_builds_is_left(site)


def test_a_second_apply_builds_nothing(mine: Platform) -> None:
    done = mine.swath("apply")
    assert done.returncode == 0, done.stderr
    assert "built" not in done.stderr
    assert "Nothing was changed" in done.stdout


def test_the_database_works(site: Platform) -> None:
    template = 'go-template={{index .data "postgres-password" | base64decode}}'
    secret = site.kubectl("-n", "mine-postgresql", "get", "secret", "postgresql", "-o", template)
    answer = site.kubectl(
        "-n", "mine-postgresql", "exec", "postgresql-0", "-i", "--", "sh", "-c",
        "read -r PGPASSWORD; export PGPASSWORD; psql -h 127.0.0.1 -U postgres -Atc 'select 6*7'",
        given=f"{secret}\n",
    )  # fmt: skip
    assert answer.strip() == "42"


def test_single_sign_on_and_workspaces_are_added(site: Platform, peopled: Platform, way_in: None) -> None:
    peopled = described(peopled)
    changes = {(change["kind"], change["name"]) for change in peopled.plan()}
    assert ("Helm release", "keycloak") in changes
    assert ("Helm release", "hub") in changes
    done = peopled.swath("apply")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert peopled.plan() == []
    told = json.loads(peopled.swath("status", "--json").stdout)
    assert told["ready"]
    assert [one["component"] for one in told["components"]] == ["ingress", "postgresql", "keycloak", "hub"]


def test_a_user_logs_in_and_works(
    site: Platform, peopled: Platform, way_in: None, visit: BrowserContext
) -> None:
    page = visit.new_page()
    log_in(page, peopled.url("hub"), "ada", first_password(site, "ada"))
    start_workspace(page, "JupyterLab")
    page.locator("#jp-main-dock-panel").wait_for()
    page.screenshot(path=peopled.pictures / "own-cluster.png")
    inside = ("-n", "mine-hub", "exec", "workspace-ada", "--", "python", "-c")
    assert site.kubectl(*inside, "import swath; print(swath.__name__, 6 * 7)").strip() == "swath 42"
    claims = site.kubectl("-n", "mine-hub", "get", "pvc", "-o", "jsonpath={.items[*].metadata.name}")
    assert "claim-ada" in claims.split()


def test_a_user_whose_group_has_no_workspace_is_refused(
    site: Platform, peopled: Platform, way_in: None, visit: BrowserContext
) -> None:
    page = visit.new_page()
    log_in(page, peopled.url("hub"), "eve", first_password(site, "eve"))
    expect(page.locator("body")).to_contain_text(re.compile("403|not allowed|Forbidden|not authorized", re.I))


def test_nobody_gets_in_without_a_log_in(peopled: Platform, way_in: None) -> None:
    for path in ("/user/ada/api/contents", "/hub/api/users"):
        status, _ = peopled.ask("GET", "hub", path)
        assert status in {302, 403}, path


def test_people_at_work_are_no_change(peopled: Platform, way_in: None) -> None:
    assert peopled.plan() == []
    done = peopled.swath("apply")
    assert done.returncode == 0, done.stderr
    assert "Nothing was changed" in done.stdout


def test_what_is_removed_is_the_installation_and_nothing_else(
    site: Platform, peopled: Platform, way_in: None
) -> None:
    before = site.kubectl("-n", "site-registry", "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    site.kubectl("create", "namespace", "mine-notes")  # a name of this kind, but not of Swath
    gone = peopled.swath("down")
    assert gone.returncode == 0, gone.stderr
    for release in ("hub", "keycloak", "postgresql", "ingress"):
        assert f"Helm release {release}" in gone.stdout
    spaces = ("get", "pods", "--all-namespaces", "-o", "jsonpath={.items[*].metadata.namespace}")
    site.eventually(lambda: site.kubectl(*spaces), lambda told: "mine-" not in told)
    for component in ("postgresql", "hub"):
        claims = ("-n", f"mine-{component}", "get", "pvc", "-o", "jsonpath={.items[*].status.phase}")
        assert set(site.kubectl(*claims).split()) == {"Bound"}
    gone = peopled.swath("down", "--data", "--yes")
    assert gone.returncode == 0, gone.stderr
    site.eventually(
        lambda: set(re.findall(r"mine-\w+", site.kubectl("get", "namespaces", "-o", "name"))),
        lambda names: names == {"mine-notes"},
    )
    everywhere = site.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
    assert "mine" not in everywhere
    after = site.kubectl("-n", "site-registry", "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    assert after == before
    assert json.loads(site.swath("status", "--json").stdout)["ready"]
    assert (site.state / "kubeconfig").is_file()
    assert peopled.file.is_file()


def test_a_cluster_that_is_stopped_is_planned_and_taken_up(site: Platform) -> None:
    gone = site.swath("down")
    assert gone.returncode == 0, gone.stderr
    changes = {change["name"]: change for change in site.plan()}
    assert "stopped → started" in changes["site"]["details"]
    assert changes["registry"]["details"] == ["looked at when the cluster runs"]
    done = site.swath("apply")
    assert done.returncode == 0, done.stderr
    assert site.plan() == []
