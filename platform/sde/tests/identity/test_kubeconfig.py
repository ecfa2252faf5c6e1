"""A kubeconfig for people has the cluster's address and no key of the administrators."""

import pytest
from swath_sde.configuration import Installation
from swath_sde.errors import PlatformError
from swath_sde.identity import user_kubeconfig

ADMINISTRATORS = {
    "current-context": "one",
    "contexts": [
        {"name": "one", "context": {"cluster": "here", "user": "admin"}},
        {"name": "two", "context": {"cluster": "there", "user": "admin"}},
    ],
    "clusters": [
        {"name": "here", "cluster": {"server": "https://127.0.0.1:6443"}},
        {"name": "there", "cluster": {"server": "https://there.example.org:6443"}},
    ],
    "users": [{"name": "admin", "user": {"client-key-data": "a-key"}}],
}


def where(context):
    return Installation.model_validate(
        {
            "where": {"kind": "kubeconfig", "kubeconfig": "k", "context": context},
            "images": {"registry": "registry.example.org/swath", "login": "l"},
        }
    )


@pytest.mark.parametrize(
    ("context", "server"),
    [(None, "https://127.0.0.1:6443"), ("two", "https://there.example.org:6443")],
)
def test_it_leads_to_the_installations_cluster(context, server):
    made = user_kubeconfig(where(context), ADMINISTRATORS, "-----BEGIN CERTIFICATE-----")
    assert made["clusters"][0]["cluster"]["server"] == server
    assert "a-key" not in str(made)
    assert made["users"][0]["user"]["exec"]["args"][:2] == ["-m", "swath_sde.login"]


def test_a_context_that_is_not_there_is_told():
    with pytest.raises(PlatformError, match="no context 'three'"):
        user_kubeconfig(where("three"), ADMINISTRATORS, "")
