"""An installation on a cluster that has an ingress controller, through which its addresses lead.

The cluster stands in for a user's, with Traefik as its controller. Nothing of ours ends TLS there.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import browser, log_in, open_terminal, start_workspace
from controller import CLASS, NAMESPACE, traefik
from installation import Platform, identity_of
from sites import described, first_password, installation_on, led_to, somebodys_cluster
from swath_sde.cluster._ports import free_port

pytestmark = pytest.mark.drill

ROUTED = ("keycloak", "hub")
"""The components that have an address; the registry is the cluster's."""

GROUPS = {"admins": {"role": "platform-admin"}, "developers-land": {"role": "developer"}}
USERS = {"admin": "admins", "ada": "developers-land"}

CERTIFICATES = "/realms/swath/protocol/openid-connect/certs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Run the cluster of somebody, with a registry."""
    with somebodys_cluster(tmp_path_factory.mktemp("site")) as made:
        yield made


@pytest.fixture(scope="module")
def mine(site: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Describe an installation on that cluster, whose controller runs and has the wildcard record."""
    folder = tmp_path_factory.mktemp("mine")
    components = {
        "ingress": {"kind": "Ingress", "class": CLASS, "controller_namespace": NAMESPACE},
        "postgresql": {"storage": "1Gi"},
        "hub": {"user_storage": "1Gi"},
    }
    made = installation_on(site, folder, https_port=free_port(site.port + 1), components=components)
    made = described(
        made, images={**made.description["images"], "place": "machine"}, identity=identity_of(GROUPS, USERS)
    )
    with (
        traefik(site, tmp_path_factory.mktemp("traefik"), port=made.port),
        led_to(site, made, service="traefik", namespace=NAMESPACE),
    ):
        yield made


def test_a_plan_has_the_certificate_beside_each_route_and_no_proxy_of_ours(mine: Platform) -> None:
    changes = {(change["kind"], change["name"]): change["action"] for change in mine.plan()}
    for component in ("ingress", *ROUTED):
        assert changes["Secret", f"mine-{component}/ingress-tls"] == "create"
    assert ("Secret", "mine-postgresql/ingress-tls") not in changes
    assert changes["Helm release", "ingress"] == "create"
    assert "haproxy" not in {name for _, name in changes}


def test_all_components_are_installed_through_it(site: Platform, mine: Platform) -> None:
    # The realm is made through Keycloak's address: the controller has led there.
    done = mine.swath("apply")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    assert mine.plan() == []
    told = json.loads(mine.swath("status", "--json").stdout)
    assert told["ready"]
    ingress = told["components"][0]
    assert (ingress["component"], ingress["status"], ingress["wanted"]) == ("ingress", "deployed", 0)
    assert "No resources found" in site.kubectl("-n", "mine-ingress", "get", "pods,services", check=False)
    hosts = "jsonpath={range .items[*]}{.spec.ingressClassName}/{.spec.rules[*].host} {end}"
    routes = site.kubectl("get", "ingresses", "--all-namespaces", "-o", hosts).split()
    assert set(routes) == {f"{CLASS}/{component}.mine.localhost" for component in ROUTED}


def test_each_host_leads_to_its_component_with_the_installations_certificate(mine: Platform) -> None:
    # `ask` verifies the certificate against the installation's authority, for the host's name.
    status, text = mine.ask("GET", "keycloak", "/realms/swath/.well-known/openid-configuration")
    assert (status, json.loads(text)["issuer"]) == (200, f"{mine.url('keycloak')}/realms/swath")
    status, text = mine.ask("GET", "hub", "/hub/api/")
    assert (status, "version" in json.loads(text)) == (200, True)


def test_a_host_that_nothing_has_is_refused(mine: Platform) -> None:
    for host in ("elsewhere.mine.localhost", "hub.site.localhost"):
        assert mine.ask("GET", "hub", "/hub/api/", {"Host": host})[0] == 404


def test_a_user_logs_in_and_works_in_the_editor(
    site: Platform, mine: Platform, chromium: str, tmp_path: Path
) -> None:
    with browser(tmp_path, mine.state / "trust" / "ca.crt", chromium) as context:
        sent: list[str] = []
        page = context.new_page()
        page.on("websocket", lambda socket: sent.append(socket.url))
        log_in(page, mine.url("hub"), "ada", first_password(site, "ada"))
        start_workspace(page, "code-server")
        # What is typed goes over the editor's websocket, which stays open through the controller.
        open_terminal(page).press_sequentially("echo $((6 * 7)) > ~/typed\n")
        typed = ("-n", "mine-hub", "exec", "workspace-ada", "--", "sh", "-c", "cat ~/typed")
        assert site.eventually(lambda: site.kubectl(*typed).strip(), bool) == "42"
        assert [address for address in sent if address.startswith(f"wss://hub.mine.localhost:{mine.port}/")]
        page.screenshot(path=mine.pictures / "ingress-controller.png")
    assert mine.plan() == []


def test_a_certificate_that_is_missing_beside_a_route_is_planned_and_made_again(
    site: Platform, mine: Platform
) -> None:
    place = ("-n", "mine-hub", "get", "secret", "ingress-tls", "-o", "jsonpath={.data}")
    before = site.kubectl(*place)
    site.kubectl("-n", "mine-hub", "delete", "secret", "ingress-tls")
    assert [(change["action"], change["name"]) for change in mine.plan()] == [
        ("create", "mine-hub/ingress-tls")
    ]
    done = mine.swath("apply")
    assert done.returncode == 0, done.stderr
    assert site.kubectl(*place) == before
    assert mine.plan() == []


def test_a_controller_in_another_namespace_is_kept_out(site: Platform, mine: Platform) -> None:
    components = mine.description["components"]
    ingress = {**components["ingress"], "controller_namespace": "nobodys"}
    elsewhere = described(mine, components={**components, "ingress": ingress})
    restart = ("-n", NAMESPACE, "rollout", "restart", "deployment/traefik")
    wait = ("-n", NAMESPACE, "rollout", "status", "deployment/traefik", "--timeout=180s")
    try:
        done = elsewhere.swath("apply", "--only", "keycloak")
        assert done.returncode == 0, done.stderr
        # Connections that are open stay so, and this controller keeps them: a new one has none.
        site.kubectl(*restart)
        site.kubectl(*wait)
        # It has a route, and cannot get through.
        mine.eventually(
            lambda: mine.ask("GET", "keycloak", CERTIFICATES)[0], lambda status: status in {502, 504}
        )
    finally:
        done = described(mine).swath("apply", "--only", "keycloak")
    assert done.returncode == 0, done.stderr
    mine.eventually(lambda: mine.ask("GET", "keycloak", CERTIFICATES)[0], lambda status: status == 200)
    assert mine.plan() == []


def test_what_is_removed_is_the_installation_and_not_the_controller(site: Platform, mine: Platform) -> None:
    pods = ("-n", NAMESPACE, "get", "pods", "-o", "jsonpath={.items[*].metadata.uid}")
    before = site.kubectl(*pods)
    gone = mine.swath("down", "--data", "--yes")
    assert gone.returncode == 0, gone.stderr
    assert "Helm release ingress" in gone.stdout
    site.eventually(
        lambda: site.kubectl("get", "namespaces", "-o", "name"), lambda names: "/mine-" not in names
    )
    assert "No resources found" in site.kubectl("get", "ingresses", "--all-namespaces", check=False)
    assert "mine" not in site.kubectl("get", "clusterroles,clusterrolebindings", "-o", "name")
    assert site.kubectl(*pods) == before
    assert json.loads(site.swath("status", "--json").stdout)["ready"]
    assert mine.file.is_file()
