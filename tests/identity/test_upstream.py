"""Users of another identity provider log in with it; here it is another realm of the same server."""

import secrets

import pytest
from swath_sde.changes import describe
from swath_sde.identity import IdentityError, plan_identity


@pytest.fixture
def upstream(realm):
    """Return the issuer of a realm with a user in a group, who may log in through a client ``swath``."""
    name = f"up-{secrets.token_hex(4)}"
    with realm.admin() as admin:
        admin.create_realm({"realm": name, "enabled": True})
        admin.change_current_realm(name)
        admin.create_group({"name": "scientists"})
        admin.create_user(
            {
                "username": "grace",
                "email": "grace@example.org",
                "firstName": "Grace",
                "lastName": "H",
                "enabled": True,
                "groups": ["/scientists"],
                "credentials": [{"type": "password", "value": "upstream", "temporary": False}],
            }
        )
        claim = {"full.path": "false", "claim.name": "groups", "id.token.claim": "true"}
        admin.create_client(
            {
                "clientId": "swath",
                "secret": realm.secrets.clients.setdefault("upstream", "their-secret"),
                "redirectUris": [f"{realm.issuer}/broker/institute/endpoint"],
                "protocolMappers": [
                    {
                        "name": "groups",
                        "protocol": "openid-connect",
                        "protocolMapper": "oidc-group-membership-mapper",
                        "config": claim,
                    }
                ],
            }
        )
    return f"{realm.keycloak.url}/realms/{name}"


def provided(issuer):
    return {"name": "institute", "issuer": issuer, "client_id": "swath", "client_secret_name": "upstream"}


def test_users_of_an_upstream_provider_log_in_with_their_groups(realm, upstream, browser):
    done = realm.apply(upstream=provided(upstream))
    assert describe(done).splitlines()[0] == "+ Keycloak identity provider institute"
    administration = realm.keycloak.administration
    assert plan_identity(realm.installation, administration, realm.secrets) == []
    session = browser(realm)
    page = session.ask(kc_idp_hint="institute")
    while page.is_redirect:
        page = session.session.get(page.headers["Location"], allow_redirects=False, timeout=30)
    answer = session.fill(page, username="grace", password="upstream")
    token = session.redeem(session.code(answer)).json()["access_token"]
    info = session.user_info(token).json()
    assert (info["preferred_username"], info["groups"]) == ("grace", ["scientists"])
    # Made by a log-in, not by Swath: it is left alone.
    assert plan_identity(realm.installation, administration, realm.secrets) == []

    realm.secrets.clients["upstream"] = "a-new-secret"
    with realm.admin() as admin:
        mapper = next(one for one in admin.get_idp_mappers("institute") if one["name"] == "group scientists")
        mapper["config"]["group"] = "/admins"
        admin.update_mapper_in_idp("institute", mapper["id"], mapper)
    shown = describe(plan_identity(realm.installation, administration, realm.secrets))
    assert "client secret: another than the cluster's (neither is shown)" in shown
    assert "mapper group scientists.config.group: /admins → /scientists" in shown
    assert "a-new-secret" not in shown
    realm.apply()
    assert plan_identity(realm.installation, administration, realm.secrets) == []
    done = realm.apply(upstream=None)
    assert describe(done).splitlines()[0] == "- Keycloak identity provider institute"


def test_a_provider_that_cannot_be_read_is_told(realm):
    nowhere = f"{realm.keycloak.url}/realms/nowhere"
    with pytest.raises(IdentityError, match="institute"):
        realm.apply(upstream=provided(nowhere))
