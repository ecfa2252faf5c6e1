"""The way to a cluster of one's own: what is wrong with a kubeconfig, or with the way, is told in words."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from swath_sde.configuration import Installation
from swath_sde.errors import ClusterError, ConfigurationError
from swath_sde.objects import kubeconfig_of, objects_of

Given = Callable[..., Installation]


def kubeconfig(server: str = "https://127.0.0.1:1") -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "site", "cluster": {"server": server}}],
            "users": [{"name": "me", "user": {"token": "none"}}],
            "contexts": [{"name": "at-site", "context": {"cluster": "site", "user": "me"}}],
            "current-context": "at-site",
        }
    )


@pytest.fixture
def given(tmp_path: Path) -> Given:
    """Give an installation on a cluster that a file of these words leads to."""

    def describe(text: str | None, context: str | None = None) -> Installation:
        file = tmp_path / "kubeconfig.yaml"
        if text is not None:
            file.write_text(text)
        where = {"kind": "kubeconfig", "kubeconfig": str(file), "context": context}
        images = {"registry": "registry.example.org/swath", "login": "login.json"}
        return Installation.model_validate({"where": where, "images": images})

    return describe


def test_a_kubeconfig_with_the_context_is_taken(given: Given, tmp_path: Path) -> None:
    assert kubeconfig_of(given(kubeconfig())) == tmp_path / "kubeconfig.yaml"
    assert kubeconfig_of(given(kubeconfig(), "at-site")) == tmp_path / "kubeconfig.yaml"


@pytest.mark.parametrize(
    ("text", "context", "told"),
    [
        (None, None, "which is not there: give the file that leads to your cluster"),
        ("", None, "is no kubeconfig with a context"),
        ("a: [", None, "is no kubeconfig with a context"),
        ("only words", None, "is no kubeconfig with a context"),
        ("contexts: none", None, "is no kubeconfig with a context"),
        (kubeconfig(), "zzz", "where.context is 'zzz'; contexts there are at-site: set where.context"),
        (kubeconfig().replace("current-context: at-site", ""), None, "its current-context is None; contexts"),
    ],
)
def test_what_leads_to_no_cluster_is_bad_input_and_told_with_a_remedy(
    given: Given, text: str | None, context: str | None, told: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        kubeconfig_of(given(text, context))
    assert told in str(caught.value)
    assert caught.value.exit_status == 2


def test_a_kubeconfig_that_is_a_folder_is_told(given: Given, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig.yaml").mkdir()
    with pytest.raises(ConfigurationError, match=r"cannot be read \(Is a directory\)"):
        kubeconfig_of(given(None))


def test_a_cluster_that_does_not_answer_is_told_with_its_address_and_the_reason(given: Given) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # and does not listen
        port = unused.getsockname()[1]
        with pytest.raises(ClusterError) as caught:
            objects_of(given(kubeconfig(f"https://127.0.0.1:{port}")))
    told = str(caught.value)
    assert f"(https://127.0.0.1:{port}): the Kubernetes API does not answer: " in told
    assert "Connection refused" in told
    assert "this machine reaches it" in told
    assert " object at 0x" not in told
    assert caught.value.exit_status == 1
