"""What swath.yaml says becomes the realm that is wanted."""

import pytest
from swath_sde.configuration import Installation
from swath_sde.identity import desired_realm


def described(**identity):
    return Installation.model_validate({"domain": "eo.example.org", "identity": identity})


def test_a_realm_of_all_defaults_is_closed_and_recorded():
    settings = desired_realm(Installation()).settings
    assert settings["sslRequired"] == "all"
    assert settings["registrationAllowed"] is False
    assert settings["bruteForceProtected"] is True
    assert desired_realm(Installation()).events["adminEventsDetailsEnabled"] is False


def test_lifetimes_are_seconds():
    sessions = {"idle_minutes": 20, "max_hours": 8, "access_token_minutes": 3}
    settings = desired_realm(described(sessions=sessions)).settings
    assert settings["ssoSessionIdleTimeout"] == settings["offlineSessionIdleTimeout"] == 20 * 60
    assert settings["ssoSessionMaxLifespan"] == settings["offlineSessionMaxLifespan"] == 8 * 3600
    assert settings["accessTokenLifespan"] == 180


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, "length(14) and passwordHistory(5) and notUsername(undefined) and notEmail(undefined)"),
        ({"length": 20, "history": 0, "not_username": False, "not_email": False}, "length(20)"),
    ],
)
def test_the_password_policy_is_written_as_keycloak_does(policy, expected):
    assert desired_realm(described(password=policy)).settings["passwordPolicy"] == expected


def test_a_lock_is_never_shorter_than_its_first_step():
    force = {"wait_seconds": 3600, "max_wait_minutes": 1}
    assert desired_realm(described(brute_force=force)).settings["maxFailureWaitSeconds"] == 3600


def test_clients_have_exact_addresses_and_pkce():
    clients = desired_realm(described()).clients
    assert clients["hub"].redirect_uris == ("https://hub.eo.example.org:8443/hub/oauth_callback",)
    assert clients["hub"].secret is not None
    assert clients["kubernetes"].secret is None
    for client in clients.values():
        said = client.representation()
        assert said["attributes"]["pkce.code.challenge.method"] == "S256"
        assert not any("*" in uri for uri in said["redirectUris"])
        assert not said["directAccessGrantsEnabled"]
        assert not said["implicitFlowEnabled"]


def test_a_component_that_is_off_has_no_client():
    installation = Installation.model_validate({"components": {"hub": {"enabled": False}}})
    assert set(desired_realm(installation).clients) == {"kubernetes"}


def test_an_upstream_provider_gives_each_group_by_its_name():
    upstream = {
        "name": "institute",
        "issuer": "https://login.example.org/realms/all/",
        "client_id": "swath",
        "client_secret_name": "upstream",
    }
    provider = desired_realm(described(upstream=upstream)).provider
    assert provider is not None
    assert provider.issuer == "https://login.example.org/realms/all"
    assert {mapper["config"]["group"] for mapper in provider.mappers()} == {
        "/admins",
        "/developers-land",
        "/scientists",
        "/auditors",
    }
    assert "clientSecret" not in provider.representation()["config"]
