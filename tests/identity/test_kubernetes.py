"""The matrix on a real API server, and log-ins of a real Keycloak at it."""

import base64
import csv
import json
import time
from pathlib import Path

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

TABLE = Path(__file__).with_name("kubernetes_access.csv")
ROWS = list(csv.DictReader(TABLE.read_text().splitlines()))
GROUPS = list(ROWS[0])[3:]


def test_the_table_speaks_of_every_group(shared_realm):
    assert sorted(shared_realm.installation.identity.groups) == sorted(GROUPS)


@pytest.mark.parametrize("group", GROUPS)
def test_each_group_may_what_the_table_says_and_nothing_else_of_it(api_server, group):
    reviews = client.AuthorizationV1Api(api_server.admin)
    wrong = []
    for row in ROWS:
        kind, _, sub = row["resource"].partition("/")
        resource, _, api_group = kind.partition(".")
        spec = {
            "user": f"oidc:one-of-{group}",
            "groups": [f"oidc:{group}", "system:authenticated"],
            "resourceAttributes": {
                "verb": row["verb"],
                "resource": resource,
                "group": api_group,
                "subresource": sub,
                "namespace": row["namespace"],
            },
        }
        found = reviews.create_subject_access_review({"spec": spec}).status.allowed
        if found != (row[group] == "yes"):
            wrong.append((row["verb"], row["resource"], row["namespace"], found))
    assert wrong == []


def test_whoever_logs_in_is_who_keycloak_says_and_may_what_the_group_may(api_server, shared_realm, browser):
    for group, pods, secrets in (
        ("admins", 200, 200),
        ("developers-land", 200, 403),
        ("scientists", 403, 403),
    ):
        token = browser(shared_realm).log_in(f"one-of-{group}")["id_token"]
        with api_server.as_bearer(token) as api:
            seen = client.AuthenticationV1Api(api).create_self_subject_review({}).status.user_info
            assert seen.username == f"oidc:one-of-{group}"
            assert set(seen.groups) == {f"oidc:{group}", "system:authenticated"}
            core = client.CoreV1Api(api)
            assert status(core.list_namespaced_pod, "tests-hub") == pods
            assert status(core.list_namespaced_secret, "tests-hub") == secrets


def test_forged_foreign_and_expired_tokens_are_refused(api_server, shared_realm, browser):
    session = browser(shared_realm)
    good = session.log_in("one-of-scientists")
    head, body, signature = good["id_token"].split(".")
    said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))

    def encoded(content):
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    admin = encoded({**said, "preferred_username": "one-of-admins", "groups": ["admins"]})
    with shared_realm.admin() as keycloak:  # by hand, and back again
        name = shared_realm.installation.identity.realm
        keycloak.update_realm(name, {"realm": name, "accessTokenLifespan": 1})
        short = browser(shared_realm).log_in("one-of-admins")["id_token"]
        keycloak.update_realm(name, {"realm": name, "accessTokenLifespan": 300})
    assert answer(api_server, good["id_token"]) == 403
    time.sleep(1.5)
    for refused in (
        short,
        f"{head}.{admin}.{signature}",
        f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{admin}.",
        f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        browser(shared_realm, "hub").log_in("one-of-admins")["id_token"],  # not meant for the cluster
        browser(shared_realm, "hub").log_in("one-of-admins")["access_token"],
        "nonsense",
    ):
        assert answer(api_server, refused) == 401


def answer(api_server, token):
    with api_server.as_bearer(token) as api:
        return status(client.CoreV1Api(api).list_namespaced_secret, "tests-hub")


def status(call, *words):
    try:
        call(*words)
    except ApiException as error:
        return error.status
    return 200
