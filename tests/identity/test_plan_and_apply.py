"""A realm is planned, made, repaired and cleared; what Swath did not make stays as it is."""

import concurrent.futures
import json

import pytest
from keycloak.exceptions import KeycloakGetError
from swath_sde.changes import Action, as_json, describe
from swath_sde.identity import MARK, ForeignObjectError, apply_identity, plan_identity


def plan(realm):
    return plan_identity(realm.installation, realm.keycloak.administration, realm.secrets)


def test_a_plan_for_an_empty_server_creates_all_and_makes_nothing(unapplied):
    changes = plan(unapplied)
    assert {change.action for change in changes} == {Action.CREATE}
    found = {(change.kind.removeprefix("Keycloak "), change.name) for change in changes}
    identity = unapplied.installation.identity
    assert found == {
        ("realm", identity.realm),
        ("client scope", "groups"),
        ("client", "hub"),
        ("client", "kubernetes"),
        *(("role", name) for name in identity.roles),
        *(("group", name) for name in identity.groups),
        *(("user", user.username) for user in identity.users),
    }
    assert unapplied.secrets.passwords == {}
    with unapplied.admin() as admin, pytest.raises(KeycloakGetError, match="404"):
        admin.get_realm(identity.realm)


def test_apply_does_what_the_plan_says_and_the_second_plan_is_empty(unapplied):
    planned = plan(unapplied)
    assert unapplied.apply() == planned
    assert plan(unapplied) == []
    assert unapplied.apply() == []
    assert set(unapplied.secrets.passwords) == {
        user.username for user in unapplied.installation.identity.users
    }


def test_drift_made_by_hand_is_shown_and_repaired(realm):
    name = realm.installation.identity.realm
    with realm.admin() as admin:
        admin.update_realm(name, {"realm": name, "bruteForceProtected": False, "registrationAllowed": True})
        hub = admin.get_client(admin.get_client_id("hub"))
        hub["redirectUris"].append("https://elsewhere.example.org/*")
        hub["attributes"]["pkce.code.challenge.method"] = ""
        hub["secret"] = "set-by-hand"
        hub["directAccessGrantsEnabled"] = True
        admin.update_client(hub["id"], hub)
        scope = admin.get_client_scope_by_name("groups")
        mapper = scope["protocolMappers"][0]
        mapper["config"]["full.path"] = "true"
        admin.update_mapper_in_client_scope(scope["id"], mapper["id"], mapper)
        kubectl = admin.get_client_id("kubernetes")
        admin.delete_client_default_client_scope(kubectl, scope["id"])
        offline = admin.get_client_scope_by_name("offline_access")["id"]
        admin.add_client_optional_client_scope(
            kubectl, offline, {"realm": name, "client": kubectl, "clientScopeId": offline}
        )
        auditors = admin.get_group_by_path("/auditors")["id"]
        management = admin.get_client_id("realm-management")
        admin.assign_group_client_roles(
            auditors, management, admin.get_client_role(management, "realm-admin")
        )
        reader = admin.get_user_id("one-of-scientists")
        admin.group_user_add(reader, admin.get_group_by_path("/admins")["id"])
        admin.assign_realm_roles(reader, [admin.get_realm_role("platform-admin")])
        developer = admin.get_user(admin.get_user_id("one-of-developers-land"))
        admin.update_user(developer["id"], {**developer, "email": "taken-over@example.org"})
        admin.group_user_remove(developer["id"], admin.get_group_by_path("/developers-land")["id"])
        admin.delete_group(admin.get_group_by_path("/maintainers-land")["id"])
        admin.add_composite_realm_roles_to_role("reader", [admin.get_realm_role("platform-admin")])
        profile = admin.get_realm_users_profile()
        next(part for part in profile["attributes"] if part["name"] == MARK)["permissions"]["edit"].append(
            "user"
        )
        admin.update_realm_users_profile(profile)
    shown = plan(realm)
    text = describe(shown)
    for expected in (
        "bruteForceProtected: no → yes",
        "registrationAllowed: yes → no",
        "user profile: the attribute swath.managed for administrators alone",
        "redirectUris: https://elsewhere.example.org/*, https://hub.",
        "attributes.pkce.code.challenge.method: nothing → S256",
        "directAccessGrantsEnabled: yes → no",
        "secret: another than the cluster's (neither is shown)",
        "mapper groups.config.full.path: true → false",
        "scopes: basic, email, profile → basic, email, groups, profile",
        "optional scopes: offline_access → nothing",
        "loses realm-management/realm-admin",
        "leaves admins",
        "loses platform-admin",
        "email: taken-over@example.org → developers-land@example.org",
        "joins developers-land",
        "joins maintainers-land",
        "+ Keycloak group maintainers-land",
    ):
        assert expected in text
    told = text + json.dumps(as_json(shown))
    assert "set-by-hand" not in told
    assert not [secret for secret in realm.secrets.clients.values() if secret in told]
    assert realm.apply() == shown
    assert plan(realm) == []


def test_what_swath_did_not_make_is_neither_changed_nor_deleted(realm):
    with realm.admin() as admin:
        group = admin.create_group({"name": "made-by-hand", "attributes": {"why": ["a workshop"]}})
        user = admin.create_user({"username": "guest", "email": "guest@example.org", "enabled": True})
        admin.group_user_add(user, group)
        admin.group_user_add(user, admin.get_group_by_path("/scientists")["id"])
        admin.group_user_add(admin.get_user_id("one-of-scientists"), group)
        client = admin.create_client({"clientId": "wiki", "redirectUris": ["https://wiki.example.org/*"]})
        admin.create_realm_role({"name": "wiki-editor", "description": "by hand"})
        admin.assign_group_realm_roles(group, [admin.get_realm_role("wiki-editor")])
        other = admin.create_user(
            {"username": "neighbour", "enabled": True, "attributes": {MARK: ["another-installation"]}}
        )

        def seen():
            return [
                admin.get_group(group),
                admin.get_group_realm_roles(group),
                [member["username"] for member in admin.get_group_members(group)],
                admin.get_user(user),
                [found["name"] for found in admin.get_user_groups(user)],
                admin.get_client(client),
                admin.get_realm_role("wiki-editor"),
                admin.get_user(other),
            ]

        before = seen()
        assert plan(realm) == []
        users = [
            user
            for user in realm.installation.model_dump()["identity"]["users"]
            if "dev" not in user["username"]
        ]
        realm.apply(sessions={"idle_minutes": 20}, users=users)
        assert seen() == before


def test_what_swath_made_is_deleted_when_it_leaves_the_description(realm):
    plain = realm.installation.model_dump(by_alias=True)
    identity = plain["identity"]
    users = [user for user in identity["users"] if user["groups"] != ("maintainers-land",)]
    groups = {name: group for name, group in identity["groups"].items() if name != "maintainers-land"}
    roles = {name: role for name, role in identity["roles"].items() if name != "maintainer"}
    plain["components"]["hub"]["enabled"] = False
    plain["identity"] = {**identity, "users": users, "groups": groups, "roles": roles}
    realm.installation = type(realm.installation).model_validate(plain)
    shown = plan(realm)
    assert {(change.kind, change.name) for change in shown} == {
        ("Keycloak user", "one-of-maintainers-land"),
        ("Keycloak group", "maintainers-land"),
        ("Keycloak role", "maintainer"),
        ("Keycloak client", "hub"),
    }
    assert {change.action for change in shown} == {Action.DELETE}
    assert realm.apply() == shown
    assert plan(realm) == []
    assert "one-of-maintainers-land" not in realm.secrets.passwords


def test_objects_in_the_way_are_refused_before_anything_is_changed(realm):
    with realm.admin() as admin:
        admin.create_user({"username": "ada", "enabled": True})
        admin.create_group({"name": "operators"})
    identity = realm.installation.model_dump()["identity"]
    ada = {"username": "ada", "email": "ada@example.org", "first_name": "Ada", "last_name": "L"}
    with pytest.raises(
        ForeignObjectError, match=r"group 'operators', user 'ada'.*Nothing was changed"
    ) as told:
        realm.apply(
            users=[*identity["users"], ada],
            groups={**identity["groups"], "operators": {"role": "platform-admin"}, "new": {"role": "reader"}},
        )
    assert told.value.exit_status == 2
    with realm.admin() as admin:
        assert "new" not in {group["name"] for group in admin.get_groups()}
        ada = admin.get_user(admin.get_user_id("ada"))
        assert "attributes" not in ada
        admin.update_user(ada["id"], {**ada, "attributes": {MARK: ["tests"]}})
        group = admin.get_group_by_path("/operators")
        admin.update_group(group["id"], {"name": "operators", "attributes": {MARK: ["tests"]}})
    realm.apply()  # handed over, as the message says
    assert plan(realm) == []


def test_a_realm_of_somebody_else_is_refused(unapplied):
    with unapplied.admin() as admin:
        admin.create_realm({"realm": unapplied.installation.identity.realm, "enabled": True})
    with pytest.raises(ForeignObjectError, match="made by somebody else; nothing in it was changed"):
        unapplied.apply()
    with unapplied.admin() as admin:
        assert admin.get_groups() == []


def test_an_interrupted_apply_is_continued_with_the_same_passwords(unapplied):
    taken = []

    def interrupt(change):
        taken.append(change)
        if change.kind == "Keycloak user":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        apply_identity(
            unapplied.installation, unapplied.keycloak.administration, unapplied.secrets, interrupt
        )
    passwords = dict(unapplied.secrets.passwords)
    assert len(passwords) == 1
    rest = unapplied.apply()
    assert not set(rest) & set(taken)
    assert passwords.items() <= unapplied.secrets.passwords.items()
    assert plan(unapplied) == []


def test_two_applies_at_once_end_in_the_described_realm(unapplied):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(unapplied.apply) for _ in range(2)]:
            done.result()
    assert plan(unapplied) == []
    with unapplied.admin() as admin:
        assert sorted(group["name"] for group in admin.get_groups()) == sorted(
            unapplied.installation.identity.groups
        )


def test_passwords_and_locked_accounts_are_left_to_people(realm):
    with realm.admin() as admin:
        user = admin.get_user_id("one-of-scientists")
        admin.set_user_password(user, "chosen by the user", temporary=False)
        admin.disable_user(user)
    assert plan(realm) == []
    realm.apply(sessions={"idle_minutes": 20})
    with realm.admin() as admin:
        assert admin.get_user(user)["enabled"] is False


def test_events_are_recorded_without_what_was_written(realm):
    with realm.admin() as admin:
        events = admin.get_admin_events({"resourceTypes": "USER", "operationTypes": "CREATE"})
        assert len(events) == len(realm.installation.identity.users)
        assert not [event for event in events if "representation" in event]
