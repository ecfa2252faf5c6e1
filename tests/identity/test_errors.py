"""What goes wrong is told in a sentence with a remedy, and nothing is half-trusted."""

import dataclasses
import time

import pytest
import requests
from swath_sde.identity import (
    AdministrationRefusedError,
    IdentityError,
    UnreachableError,
    UntrustedError,
    apply_identity,
    plan_identity,
)


def test_a_server_that_does_not_answer_is_told_after_the_time_allowed(unapplied, free_port):
    there = dataclasses.replace(
        unapplied.keycloak.administration, url=f"https://localhost:{free_port()}", patience_seconds=0.5
    )
    with pytest.raises(
        UnreachableError, match=r"does not answer .*refused.* 0\.5 s\. Look at its pod"
    ) as told:
        plan_identity(unapplied.installation, there, unapplied.secrets)
    assert told.value.exit_status == 1


def test_a_server_that_is_starting_is_waited_for(start_keycloak, unapplied):
    with start_keycloak() as starting:
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get(starting.url, verify=str(starting.ca_bundle), timeout=5)
        patient = dataclasses.replace(starting.administration, patience_seconds=240)
        done = apply_identity(unapplied.installation, patient, unapplied.secrets)
        assert done
        assert plan_identity(unapplied.installation, patient, unapplied.secrets) == []


def test_a_wrong_password_is_told_and_not_repeated(unapplied):
    wrong = dataclasses.replace(unapplied.keycloak.administration, password="not-the-password")
    with pytest.raises(AdministrationRefusedError, match="'root': name or password are wrong") as told:
        plan_identity(unapplied.installation, wrong, unapplied.secrets)
    assert "not-the-password" not in str(told.value)
    assert "not-the-password" not in repr(wrong)


def test_a_certificate_of_another_authority_is_refused_at_once(unapplied, other_authority):
    other = dataclasses.replace(unapplied.keycloak.administration, ca_bundle=other_authority)
    before = time.monotonic()
    with pytest.raises(UntrustedError, match=r"cannot be trusted: .*certificate verify failed"):
        plan_identity(unapplied.installation, other, unapplied.secrets)
    assert time.monotonic() - before < other.patience_seconds


def test_the_name_need_not_resolve_where_an_address_is_given(unapplied):
    port = unapplied.keycloak.url.rpartition(":")[2]
    there = dataclasses.replace(
        unapplied.keycloak.administration,
        url=f"https://keycloak.swath.invalid:{port}",
        address="127.0.0.1",
    )
    assert apply_identity(unapplied.installation, there, unapplied.secrets)
    elsewhere = dataclasses.replace(there, url=f"https://hub.swath.invalid:{port}")
    with pytest.raises(UntrustedError, match=r"hostname|Hostname"):
        plan_identity(unapplied.installation, elsewhere, unapplied.secrets)


def test_without_its_bundle_nobody_is_asked(unapplied, tmp_path):
    nothing = dataclasses.replace(unapplied.keycloak.administration, ca_bundle=tmp_path / "ca.crt")
    with pytest.raises(IdentityError, match="never asked without verifying"):
        plan_identity(unapplied.installation, nothing, unapplied.secrets)


def test_an_account_without_rights_is_told_which_it_needs(unapplied):
    realm = unapplied.installation.identity.realm
    with unapplied.admin() as admin:
        admin.change_current_realm("master")
        admin.create_user(
            {
                "username": f"weak-{realm}",
                "enabled": True,
                "email": f"{realm}@example.org",
                "firstName": "W",
                "lastName": "W",
                "credentials": [{"type": "password", "value": "weak", "temporary": False}],
            }
        )
    weak = dataclasses.replace(unapplied.keycloak.administration, username=f"weak-{realm}", password="weak")
    with pytest.raises(AdministrationRefusedError, match="needs the roles manage-realm"):
        apply_identity(unapplied.installation, weak, unapplied.secrets)


def test_a_service_account_can_apply_in_the_place_of_a_person(realm):
    name = realm.installation.identity.realm
    with realm.admin() as admin:
        admin.change_current_realm("master")
        client = admin.create_client(
            {"clientId": f"apply-{name}", "serviceAccountsEnabled": True, "secret": "of-the-service"}
        )
        account = admin.get_client_service_account_user(client)["id"]
        rights = admin.get_client_id(f"{name}-realm")
        wanted = (
            "manage-realm",
            "manage-users",
            "manage-clients",
            "manage-identity-providers",
            "view-events",
        )
        admin.assign_client_role(account, rights, [admin.get_client_role(rights, right) for right in wanted])
    service = dataclasses.replace(
        realm.keycloak.administration,
        username=None,
        password=None,
        client_id=f"apply-{name}",
        client_secret="of-the-service",
    )
    assert plan_identity(realm.installation, service, realm.secrets) == []
    with realm.admin() as admin:
        admin.delete_group(admin.get_group_by_path("/auditors")["id"])
        admin.delete_client(admin.get_client_id("hub"))
    assert apply_identity(realm.installation, service, realm.secrets)
    assert plan_identity(realm.installation, service, realm.secrets) == []


def test_an_address_that_somebody_else_has_is_told_with_the_servers_words(realm):
    with realm.admin() as admin:
        admin.create_user({"username": "guest", "email": "ada@example.org", "enabled": True})
    users = realm.installation.model_dump()["identity"]["users"]
    ada = {"username": "ada", "email": "ada@example.org", "first_name": "Ada", "last_name": "L"}
    with pytest.raises(IdentityError, match=r"\(409\): User exists with same email"):
        realm.apply(users=[*users, ada])
