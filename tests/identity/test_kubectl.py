"""The real kubectl, by single sign-on: the plug-in logs in, keeps the tokens, and renews them."""

import json
import os
import stat
import subprocess
import sysconfig
import threading
from pathlib import Path

import pytest
import requests
import yaml
from swath_sde.identity import user_kubeconfig
from swath_sde.login import Login, LoginError, id_token

KUBECTL = Path(sysconfig.get_path("scripts")) / "kubectl"


def shown_to(browser, realm, name):
    """Return what is shown an address, and logs in at it as a person does, while the plug-in waits."""
    sessions = []

    def show(address):
        session = browser(realm)
        sessions.append(session)

        def log_in():
            page = session.session.get(address, allow_redirects=False, timeout=30)
            answer = session.fill(page, username=name, password=realm.secrets.passwords[name])
            assert session.session.get(answer.headers["Location"], timeout=30).status_code == 200

        threading.Thread(target=log_in).start()

    return show, sessions


def login_of(realm, tmp_path, **other):
    return Login(
        issuer=realm.issuer,
        client_id="kubernetes",
        ca_bundle=realm.keycloak.ca_bundle,
        kept=tmp_path / "kept" / "tokens.json",
        **other,
    )


def test_kubectl_works_with_a_login_and_without_a_second_one(api_server, shared_realm, browser, tmp_path):
    realm = shared_realm
    admins = {
        "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [
            {
                "name": "c",
                "cluster": {"server": api_server.url, "certificate-authority": str(api_server.ca_bundle)},
            }
        ],
        "users": [{"name": "u", "user": {"token": "an-administrators-secret"}}],
    }
    made = user_kubeconfig(realm.installation, admins, realm.keycloak.ca_bundle.read_text())
    assert "an-administrators-secret" not in json.dumps(made)
    login = login_of(realm, tmp_path)
    arguments = made["users"][0]["user"]["exec"]["args"]
    arguments[arguments.index("--issuer") + 1] = realm.issuer  # the tests' server has a port of its own
    arguments[arguments.index("--kept") + 1] = str(login.kept)
    config = tmp_path / "kubeconfig"
    config.write_text(yaml.safe_dump(made))
    show, sessions = shown_to(browser, realm, "one-of-developers-land")
    id_token(login, show)
    assert len(sessions) == 1
    assert stat.S_IMODE(login.kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(login.kept.parent.stat().st_mode) == 0o700

    def kubectl(*words):
        return subprocess.run(
            [KUBECTL, "--kubeconfig", config, *words],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    assert "oidc:one-of-developers-land" in kubectl("auth", "whoami").stdout
    assert kubectl("get", "pods", "--namespace=tests-hub").returncode == 0
    refused = kubectl("get", "secrets", "--namespace=tests-hub")
    assert refused.returncode != 0
    assert "Forbidden" in refused.stderr
    assert kubectl("auth", "can-i", "create", "pods", "--namespace=tests-hub").stdout.strip() == "no"


def test_tokens_are_renewed_and_a_login_is_asked_for_when_access_has_ended(realm, browser, tmp_path):
    login = login_of(realm, tmp_path)
    show, sessions = shown_to(browser, realm, "one-of-scientists")
    first = id_token(login, show)
    kept = json.loads(login.kept.read_text())
    assert id_token(login, show) == first
    login.kept.write_text(json.dumps({**kept, "id_token": "over"}))
    assert id_token(login, show) != first
    assert len(sessions) == 1
    with realm.admin() as admin:
        admin.user_logout(admin.get_user_id("one-of-scientists"))
    login.kept.write_text(json.dumps({**kept, "id_token": "over"}))
    id_token(login, show)
    assert len(sessions) == 2


def test_an_answer_to_another_question_is_not_taken(shared_realm, browser, tmp_path):
    answers = []

    def show(address):
        redirect = dict(part.split("=") for part in address.split("?")[1].split("&"))["redirect_uri"]
        callback = requests.utils.unquote(redirect)

        def answer():
            answers.append(requests.get(f"{callback}?code=stolen&state=guessed", timeout=10).status_code)

        threading.Thread(target=answer).start()

    with pytest.raises(LoginError, match="nobody logged in"):
        id_token(login_of(shared_realm, tmp_path, wait_seconds=3), show)
    assert answers == [400]
    assert not (tmp_path / "kept").exists()


def test_an_issuer_that_cannot_be_trusted_is_told(shared_realm, tmp_path, other_authority):
    login = login_of(shared_realm, tmp_path)
    kept = {"refresh_token": "of-long-ago"}
    login.kept.parent.mkdir()
    login.kept.write_text(json.dumps(kept))
    untrusting = Login(
        issuer=login.issuer, client_id="kubernetes", ca_bundle=other_authority, kept=login.kept
    )
    with pytest.raises(LoginError, match=r"cannot be asked: .*CERTIFICATE_VERIFY_FAILED"):
        id_token(untrusting, pytest.fail)
