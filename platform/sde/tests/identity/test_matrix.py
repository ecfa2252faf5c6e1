"""The matrix of groups and roles, rendered for each component."""

import pytest
from swath_sde.configuration import Installation
from swath_sde.errors import ConfigurationError
from swath_sde.identity import (
    describe_matrix,
    hub_access,
    keycloak_access,
    kubernetes_access,
    team_namespaces,
)

EDIT = {
    "groups": {
        "admins": {"role": "platform-admin"},
        "maintainers-land": {"role": "maintainer"},
        "developers-land": {"role": "developer"},
    },
    "users": [],
}


def described(name="swath", **identity):
    return Installation.model_validate({"name": name, "identity": {**EDIT, **identity}})


def test_the_hub_lets_in_groups_with_a_workspace_and_obeys_administrators():
    access = hub_access(Installation())
    assert access.allowed_groups == ("admins", "developers-land", "scientists")
    assert access.admin_groups == ("admins",)


def test_only_administrators_have_rights_in_the_realm():
    rights = keycloak_access(Installation())
    assert "manage-users" in rights["admins"]
    assert not any(rights[group] for group in ("developers-land", "scientists", "auditors"))
    assert not {"manage-realm", "manage-clients", "impersonation"} & rights["admins"]


def test_bindings_name_groups_as_the_api_server_does():
    manifests = kubernetes_access(described())
    subjects = {
        (manifest["metadata"].get("namespace"), manifest["roleRef"]["name"], subject["name"])
        for manifest in manifests
        if manifest["kind"].endswith("Binding")
        for subject in manifest["subjects"]
    }
    assert (None, "swath:admin", "oidc:admins") in subjects
    assert ("swath-maintainers-land", "swath:edit", "oidc:maintainers-land") in subjects
    assert ("swath-hub", "swath:view", "oidc:developers-land") in subjects
    assert {role for namespace, role, _ in subjects if namespace is None} == {"swath:admin"}


def test_nobody_but_administrators_may_read_secrets():
    for manifest in kubernetes_access(described()):
        if manifest["kind"] == "ClusterRole" and manifest["metadata"]["name"] != "swath:admin":
            for rule in manifest["rules"]:
                assert "*" not in rule["resources"]
                if "secrets" in rule["resources"]:
                    assert not {"get", "list", "watch"} & set(rule["verbs"])


def test_a_group_that_edits_has_a_restricted_namespace_of_its_own():
    namespaces = [manifest for manifest in kubernetes_access(described()) if manifest["kind"] == "Namespace"]
    assert [one["metadata"]["name"] for one in namespaces] == ["swath-maintainers-land"]
    assert namespaces[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_installations_do_not_share_names_of_roles():
    names = [
        {manifest["metadata"]["name"] for manifest in kubernetes_access(described(name))}
        for name in ("one", "two")
    ]
    assert not names[0] & names[1]


@pytest.mark.parametrize(
    ("group", "told"), [("hub", "that of a component"), ("a" * 60, "Kubernetes takes 63")]
)
def test_a_namespace_that_cannot_be_is_refused(group, told):
    groups = {**EDIT["groups"], group: {"role": "maintainer"}}
    with pytest.raises(ConfigurationError, match=told):
        team_namespaces(described(groups=groups))


def test_the_table_has_a_row_for_each_group():
    table = describe_matrix(Installation()).splitlines()
    assert table[0] == "| group | role | Keycloak | JupyterHub | Kubernetes |"
    assert [line.split("|")[1].strip() for line in table[2:]] == [
        "`admins`",
        "`developers-land`",
        "`scientists`",
        "`auditors`",
    ]
