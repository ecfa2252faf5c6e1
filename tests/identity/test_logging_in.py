"""People log in: who gets which claims, what is refused, and how access ends."""

import base64
import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
import requests


def claims(token):
    """Return what a token says, without judging it."""
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


@pytest.mark.parametrize("client", ["hub", "kubernetes"])
def test_tokens_name_groups_without_a_path_and_their_audience(shared_realm, browser, client):
    tokens = browser(shared_realm, client).log_in("one-of-developers-land")
    for kind in ("id_token", "access_token"):
        said = claims(tokens[kind])
        assert said["groups"] == ["developers-land"]
        assert said["aud"] == client
        assert said["iss"] == shared_realm.issuer
        assert said["preferred_username"] == "one-of-developers-land"
        assert said["exp"] - said["iat"] == 5 * 60
    assert "realm_access" not in claims(tokens["access_token"])
    info = browser(shared_realm, client).user_info(tokens["access_token"]).json()
    assert info["groups"] == ["developers-land"]


def test_a_user_taken_out_of_a_group_loses_the_session_and_the_claim(realm, browser):
    there, elsewhere = browser(realm), browser(realm, "hub")
    tokens, others = there.log_in("one-of-admins"), elsewhere.log_in("one-of-admins")
    bystander = browser(realm)
    kept = bystander.log_in("one-of-scientists")
    users = [dict(user) for user in realm.installation.model_dump()["identity"]["users"]]
    next(user for user in users if user["username"] == "one-of-admins")["groups"] = ["scientists"]
    done = realm.apply(users=users)
    assert [change.details for change in done] == [("leaves admins", "sessions end"), ("joins scientists",)]
    for session, held in ((there, tokens), (elsewhere, others)):
        assert session.refresh(held).status_code == 400
        assert session.user_info(held["access_token"]).status_code == 401
        assert session.ask().status_code == 200  # the log-in page, not a redirect: the cookie is of no use
    assert bystander.refresh(kept).status_code == 200
    assert claims(browser(realm).log_in("one-of-admins")["id_token"])["groups"] == ["scientists"]


def test_a_user_taken_out_of_the_description_is_out_at_once(realm, browser):
    session = browser(realm)
    tokens = session.log_in("one-of-scientists")
    password = realm.secrets.passwords["one-of-scientists"]
    users = realm.installation.model_dump()["identity"]["users"]
    realm.apply(users=[user for user in users if user["username"] != "one-of-scientists"])
    assert session.refresh(tokens).status_code == 400
    assert session.user_info(tokens["access_token"]).status_code == 401
    assert browser(realm).enter("one-of-scientists", password).status_code == 200


def test_members_of_a_deleted_group_lose_their_sessions(realm, browser):
    session = browser(realm)
    tokens = session.log_in("one-of-auditors")
    plain = realm.installation.model_dump()["identity"]
    users = [dict(user) for user in plain["users"]]
    next(user for user in users if user["username"] == "one-of-auditors")["groups"] = []
    realm.apply(
        users=users, groups={name: group for name, group in plain["groups"].items() if name != "auditors"}
    )
    assert session.refresh(tokens).status_code == 400


def test_guessing_a_password_locks_the_account_for_a_while(realm, browser):
    realm.apply(brute_force={"failures": 3, "wait_seconds": 60})
    right = realm.secrets.passwords["one-of-scientists"]
    for guess in range(3):
        assert browser(realm).enter("one-of-scientists", f"guess {guess}").status_code == 200
    refused = browser(realm).enter("one-of-scientists", right)
    assert refused.status_code == 200
    with realm.admin() as admin:
        user = admin.get_user_id("one-of-scientists")
        assert admin.get_bruteforce_detection_status(user)["disabled"] is True
        recorded = {event["type"] for event in admin.get_events({"user": user})}
        assert "LOGIN_ERROR" in recorded
        admin.clear_bruteforce_attempts_for_user(user)
    browser(realm).log_in("one-of-scientists")


def test_the_first_password_must_be_changed_to_one_that_the_policy_accepts(unapplied, browser):
    unapplied.apply(temporary_passwords=True)
    name = "one-of-scientists"
    first = unapplied.secrets.passwords[name]
    session = browser(unapplied)
    page = session.enter(name, first)
    for refused in ("too short", first, "scientists@example.org"):
        assert page.status_code == 200, "logged in without a change of the password"
        page = session.fill(page, **{"password-new": refused, "password-confirm": refused})
    chosen = "a new one, long enough"
    page = session.fill(page, **{"password-new": chosen, "password-confirm": chosen})
    assert session.redeem(session.code(page)).status_code == 200
    assert browser(unapplied).enter(name, first).status_code == 200
    assert browser(unapplied).enter(name, chosen).is_redirect


@pytest.mark.parametrize("client", ["hub", "kubernetes"])
def test_a_code_without_pkce_is_refused(shared_realm, browser, client):
    session = browser(shared_realm, client)
    for without in (
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge": session.verifier, "code_challenge_method": "plain"},
        {"code_challenge": session.verifier, "code_challenge_method": None},
    ):
        refused = session.ask(**without)
        assert refused.is_redirect
        assert parse_qs(urlsplit(refused.headers["Location"]).query)["error"] == ["invalid_request"]


def test_a_code_is_good_once_and_for_its_verifier_alone(shared_realm, browser):
    session = browser(shared_realm)
    password = shared_realm.secrets.passwords["one-of-admins"]
    code = session.code(session.enter("one-of-admins", password))
    assert session.redeem(code, code_verifier="x" * 64).status_code == 400
    code = session.code(session.ask())
    assert session.redeem(code).status_code == 200
    assert session.redeem(code).status_code == 400


@pytest.mark.parametrize(
    ("client", "uri"),
    [
        ("hub", "https://hub.swath.localhost:8443/hub/oauth_callback/../../evil"),
        ("hub", "https://hub.swath.localhost:8443/hub/oauth_callback?next=evil"),
        ("hub", "https://hub.swath.localhost/hub/oauth_callback"),
        ("hub", "http://hub.swath.localhost:8443/hub/oauth_callback"),
        ("hub", "https://evil.example.org/hub/oauth_callback"),
        ("hub", "http://127.0.0.1:4000/callback"),
        ("kubernetes", "http://127.0.0.1:4000/other"),
        ("kubernetes", "http://127.0.0.1.evil.example.org/callback"),
        ("kubernetes", "http://127.0.0.1:4000@evil.example.org/callback"),
        ("kubernetes", "https://evil.example.org/callback"),
        ("kubernetes", "http://0.0.0.0:4000/callback"),
    ],
)
def test_a_redirect_to_another_place_is_refused(shared_realm, browser, client, uri):
    refused = browser(shared_realm, client).ask(redirect_uri=uri)
    assert refused.status_code == 400
    assert "Location" not in refused.headers


def test_there_is_no_other_way_to_tokens(shared_realm, browser):
    name = "one-of-admins"
    password = shared_realm.secrets.passwords[name]
    for client in ("hub", "kubernetes"):
        session = browser(shared_realm, client)
        granted = session.exchange(grant_type="password", username=name, password=password, scope="openid")
        assert granted.json()["error"] == "unauthorized_client"
        service = session.exchange(grant_type="client_credentials")
        assert service.json()["error"] in {"unauthorized_client", "invalid_client"}
        implicit = session.ask(response_type="id_token token", nonce="n")
        assert "access_token" not in implicit.headers.get("Location", "")
        offline = session.ask(scope="openid offline_access")
        assert "invalid_scope" in offline.headers.get("Location", "")


def test_the_hub_needs_its_secret(shared_realm, browser):
    session = browser(shared_realm, "hub")
    password = shared_realm.secrets.passwords["one-of-admins"]
    code = session.code(session.enter("one-of-admins", password))
    refused = session.redeem(code, client_secret="a guess")
    assert refused.status_code == 401
    assert refused.json()["error"] == "unauthorized_client"


def test_a_device_logs_in_with_a_code_typed_elsewhere(shared_realm, browser):
    device = browser(shared_realm)
    asked = device.session.post(
        f"{device.endpoint}/auth/device",
        data={
            "client_id": "kubernetes",
            "scope": "openid",
            "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
        },
        timeout=30,
    )
    assert asked.status_code == 200
    assert asked.json()["verification_uri"] == f"{shared_realm.issuer}/device"
    hub = browser(shared_realm, "hub")
    refused = hub.session.post(
        f"{hub.endpoint}/auth/device",
        data={"client_id": "hub", "client_secret": shared_realm.secrets.clients["hub"]},
        timeout=30,
    )
    assert refused.status_code in {400, 401}


def test_forged_and_expired_tokens_are_refused(realm, browser):
    session = browser(realm)
    with realm.admin() as admin:  # by hand, as the description allows no less than a minute
        name = realm.installation.identity.realm
        admin.update_realm(name, {"realm": name, "accessTokenLifespan": 2})
    short = session.log_in("one-of-scientists")["access_token"]
    head, body, signature = short.split(".")
    assert session.user_info(short).status_code == 200

    def encoded(content):
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    said = {**claims(short), "exp": int(time.time()) + 3600}
    admin_of = encoded({**said, "preferred_username": "one-of-admins", "groups": ["admins"]})
    for forged in (
        f"{head}.{admin_of}.{signature}",
        f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{admin_of}.",
        f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        f"{head}.{body}.",
    ):
        assert session.user_info(forged).status_code == 401
    deadline = time.monotonic() + 30
    while session.user_info(short).status_code == 200:
        assert time.monotonic() < deadline, "a token outlived itself"
        time.sleep(0.5)


ADMINISTRATION = {
    # group: may list users, may make users, may read the realm, may change the realm, may read events
    "admins": (True, True, True, False, True),
    "maintainers-land": (False, False, False, False, False),
    "developers-land": (False, False, False, False, False),
    "scientists": (False, False, False, False, False),
    "auditors": (False, False, False, False, False),
    "lookers": (True, False, False, False, False),
}
"""What each group may do in the realm's administration, as the reference page says it."""


def test_the_matrix_holds_in_the_realms_administration(realm):
    plain = realm.installation.model_dump()["identity"]
    looker = {"username": "one-of-lookers", "email": "l@example.org", "first_name": "L", "last_name": "L"}
    realm.apply(
        roles={**plain["roles"], "looker": {"keycloak": "view"}},
        groups={**plain["groups"], "lookers": {"role": "looker"}},
        users=[*plain["users"], {**looker, "groups": ["lookers"]}],
    )
    with realm.admin() as admin:  # a client whose tokens carry roles, as the administration's own does
        admin.create_client({"clientId": "by-hand", "publicClient": True, "directAccessGrantsEnabled": True})
    base = f"{realm.keycloak.url}/admin/realms/{realm.installation.identity.realm}"
    found = {}
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(realm.keycloak.ca_bundle)
        for group in ADMINISTRATION:
            name = f"one-of-{group}"
            login = {"username": name, "password": realm.secrets.passwords[name]}
            answer = session.post(
                f"{realm.issuer}/protocol/openid-connect/token",
                data={"client_id": "by-hand", "grant_type": "password", **login},
                timeout=30,
            )
            session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
            realm_seen = session.get(base, timeout=30)
            found[group] = (
                session.get(f"{base}/users", timeout=30).status_code == 200,
                session.post(f"{base}/users", json={"username": f"by-{group}"}, timeout=30).status_code
                == 201,
                realm_seen.status_code == 200 and "passwordPolicy" in realm_seen.json(),
                session.put(base, json={"registrationAllowed": True}, timeout=30).status_code == 204,
                session.get(f"{base}/events", timeout=30).status_code == 200,
            )
    assert found == ADMINISTRATION


def test_nobody_can_mark_oneself_or_change_the_own_name(realm, browser):
    with realm.admin() as admin:
        admin.create_client({"clientId": "by-hand", "publicClient": True, "directAccessGrantsEnabled": True})
    login = {
        "username": "one-of-scientists",
        "password": realm.secrets.passwords["one-of-scientists"],
    }
    session = browser(realm).session
    token = session.post(
        f"{realm.issuer}/protocol/openid-connect/token",
        data={"client_id": "by-hand", "grant_type": "password", **login},
        timeout=30,
    ).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    account = session.get(
        f"{realm.issuer}/account", headers={**headers, "Accept": "application/json"}, timeout=30
    )
    assert account.status_code == 200
    assert "swath.managed" not in account.text
    content = {**account.json(), "username": "one-of-admins2", "attributes": {"swath.managed": ["other"]}}
    session.post(f"{realm.issuer}/account", json=content, headers=headers, timeout=30)
    with realm.admin() as admin:
        user = admin.get_user(admin.get_user_id("one-of-scientists"))
        assert user["attributes"]["swath.managed"] == ["tests"]
