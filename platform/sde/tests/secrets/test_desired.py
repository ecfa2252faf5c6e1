"""What has to be in the cluster before the components: here, where the certificate of all addresses goes."""

import base64

import pytest
from swath_sde.configuration import Installation
from swath_sde.secrets._desired import Certificate, Values, desired_objects

OWN = {
    "version": 1,
    "where": {"kind": "kubeconfig", "kubeconfig": "k", "https_port": 443},
    "images": {"registry": "registry.example.org/swath", "login": "l"},
    "components": {"registry": {"enabled": False}},
}
CONTROLLER = {"ingress": {"kind": "Ingress", "controller_namespace": "ingress-nginx"}}


@pytest.fixture
def places():
    """Return the namespaces that get the certificate."""

    def of(description):
        made = desired_objects(
            Installation.model_validate(description),
            Values(lambda _namespace, _name: {}),
            authority="authority",
            system_authorities="others",
            certificate=Certificate(chain="chain", key="key"),
        )
        found = {}
        for body in made:
            if body["metadata"]["name"] == "ingress-tls":
                assert body["type"] == "kubernetes.io/tls"
                found[body["metadata"]["namespace"]] = {
                    key: base64.b64decode(value).decode() for key, value in body["data"].items()
                }
        assert all(data == {"tls.crt": "chain", "tls.key": "key"} for data in found.values())
        return set(found)

    return of


def test_our_ingress_alone_has_the_certificate(places):
    assert places({"version": 1}) == {"swath-ingress"}


def test_another_controller_finds_it_beside_each_route(places):
    components = {**OWN["components"], **CONTROLLER}
    assert places({**OWN, "components": components}) == {"swath-ingress", "swath-keycloak", "swath-hub"}


def test_no_component_that_is_off_gets_it(places):
    components = {**OWN["components"], **CONTROLLER, "hub": {"enabled": False}}
    assert places({**OWN, "components": components}) == {"swath-ingress", "swath-keycloak"}
