"""The collection's playbooks and modules on a real cluster, role by role."""

import pytest
import yaml
from swath_sde.playbooks import DONE, PENDING, run_playbook


@pytest.fixture
def play(cluster, tmp_path):
    """Run a playbook for the cluster; return its status and what each of its tasks told."""
    file = tmp_path / "swath.yaml"
    file.write_text(yaml.safe_dump(cluster.installation.model_dump(mode="json", by_alias=True)))

    def run(name, *tags, **options):
        events = []
        status = run_playbook(name, file, tags=tags, on_event=events.append, **options)
        return status, [event for event in events if event["event"] in ("result", "diff")]

    return run


def changes(told):
    return {change["name"] for event in told for change in event.get("changes", [])}


def test_trust_is_planned_made_once_and_verified_and_no_secret_is_told(cluster, play):
    namespace = cluster.installation.namespace("ingress")
    status, told = play("plan", "cluster", "trust")
    assert status == PENDING
    assert f"{namespace}/ingress-tls" in changes(told)
    assert "NotFound" in _refused(cluster, "get", "namespace", namespace)

    status, told = play("site", "trust", diff=True)
    assert status == DONE
    assert f"{namespace}/ingress-tls" in changes(told)
    secret = cluster.kubectl(
        "-n", cluster.installation.namespace("postgresql"), "get", "secret", "postgresql",
        "-o", "go-template={{range .data}}{{.|base64decode}} {{end}}",
    ).split()  # fmt: skip
    assert len(secret) == 3
    assert not [word for word in secret if word in str(told)]

    status, told = play("site", "cluster", "trust")
    assert (status, changes(told)) == (DONE, set())
    assert play("site", "cluster", "trust", check=True)[0] == DONE
    assert play("verify", "cluster", "trust")[0] == DONE


def test_what_was_changed_by_hand_is_told_and_repaired(cluster, play):
    assert play("site", "trust")[0] == DONE
    namespace = cluster.installation.namespace("hub")
    cluster.kubectl("-n", namespace, "delete", "configmap", "swath-ca")
    status, told = play("site", "trust", check=True, diff=True)
    assert (status, changes(told)) == (PENDING, {f"{namespace}/swath-ca"})
    assert [event["text"] for event in told if event["event"] == "diff"] != []
    assert play("site", "trust")[0] == DONE
    assert cluster.kubectl("-n", namespace, "get", "configmap", "swath-ca", "-o", "name")


def test_a_part_whose_ground_is_not_there_is_planned_as_a_whole(cluster, play):
    assert play("site", "trust")[0] == DONE
    status, told = play("plan", "images", "keycloak")
    assert status == PENDING
    assert {"delivery", "realm", "keycloak"} <= changes(told)


def _refused(cluster, *words):
    from swath_sde.cluster import NodeError

    with pytest.raises(NodeError) as error:
        cluster.kubectl(*words)
    return str(error.value)
