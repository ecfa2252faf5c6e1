"""First passwords are kept in a Secret of a real API server."""

import pytest
from kubernetes import client
from swath_sde.configuration import PasswordPolicy
from swath_sde.identity import FIRST_PASSWORDS, ClusterSecrets, IdentityError, SecretPlace

POLICY = PasswordPolicy()


@pytest.fixture(scope="module")
def core(api_server):
    api = client.CoreV1Api(api_server.admin)
    api.create_namespace(client.V1Namespace(metadata={"name": "kept"}))
    return api


def test_a_first_password_is_kept_until_its_user_is_no_more(core):
    secrets = ClusterSecrets(core, "kept")
    ada, bob = secrets.first_password("ada", POLICY), secrets.first_password("bob.b_b-2", POLICY)
    assert ada != bob
    assert ClusterSecrets(core, "kept").first_password("ada", POLICY) == ada
    assert secrets.read(SecretPlace("kept", FIRST_PASSWORDS, "bob.b_b-2")) == bob
    secrets.forget("ada")
    secrets.forget("ada")
    assert set(core.read_namespaced_secret(FIRST_PASSWORDS, "kept").data) == {"bob.b_b-2"}
    assert secrets.first_password("ada", POLICY) != ada


def test_a_missing_secret_is_named(core):
    with pytest.raises(IdentityError, match=r"'hub' in the namespace 'kept' has no 'client-secret'"):
        ClusterSecrets(core, "kept").read(SecretPlace("kept", "hub", "client-secret"))


def test_without_its_namespace_no_password_is_made(core):
    with pytest.raises(IdentityError, match=r"cannot be made .*The user was not made"):
        ClusterSecrets(core, "nowhere").first_password("ada", POLICY)
