"""What the node's programs are told, as far as it can be seen without a node."""

import json
import stat
import tomllib
from dataclasses import replace

import pytest
import yaml
from swath_sde.cluster._configuration import configuration_files
from swath_sde.cluster._keys import certificates_until, keep_keys
from swath_sde.cluster._programs import inner_supervisor, programs
from swath_sde.cluster._settings import Settings
from swath_sde.cluster.errors import NodeError


@pytest.fixture
def settings(tmp_path):
    return Settings(
        name="try",
        domain="try.localhost",
        https_port=9443,
        api_port=16500,
        issuer="https://keycloak.try.localhost:9443/realms/swath",
        ingress_namespace="try-ingress",
        state=str(tmp_path / "state"),
        programs="/programs",
        python="/python",
    )


@pytest.fixture
def files(settings):
    return configuration_files(settings, runtime_capped=True, cgroup_root="/swath/x", authority="-- CA --\n")


def test_pods_are_restricted_without_exemption(files):
    plugin = yaml.safe_load(files["admission.yaml"])["plugins"][0]["configuration"]
    assert plugin["defaults"]["enforce"] == "restricted"
    assert not any(plugin["exemptions"].values())


def test_strangers_may_only_ask_for_health(files):
    asked = yaml.safe_load(files["authentication.yaml"])
    assert [item["path"] for item in asked["anonymous"]["conditions"]] == ["/livez", "/readyz", "/healthz"]
    [issuer] = asked["jwt"]
    assert issuer["issuer"]["certificateAuthority"] == "-- CA --\n"
    assert all(mapping["prefix"] == "oidc:" for mapping in issuer["claimMappings"].values())


def test_the_audit_log_never_holds_contents(files):
    levels = {rule["level"] for rule in yaml.safe_load(files["audit.yaml"])["rules"]}
    assert levels == {"None", "Metadata"}


def test_the_registry_is_trusted_by_the_installations_authority(files):
    hosts = tomllib.loads(files["registries/registry.try.localhost:9443/hosts.toml"])
    assert hosts["host"]["https://registry.try.localhost:9443"]["ca"].endswith("installation-ca.crt")
    assert tomllib.loads(files["containerd.toml"])["version"] == 2
    assert json.loads(files["network/10-swath.conflist"])["plugins"][0]["type"] == "bridge"


def test_names_of_the_installation_lead_to_the_ingress(files):
    assert "IN CNAME ingress.try-ingress.svc.cluster.local." in files["Corefile"]


def test_every_program_is_supervised_and_no_secret_is_in_a_command_line(settings):
    text = inner_supervisor(settings)
    for name in programs(settings):
        assert f"[program:{name}]" in text
    assert "secretbox" not in text
    assert "token" not in text


def test_policies_are_left_out_where_the_kernel_cannot(settings):
    assert "policies" in programs(settings)
    assert "policies" not in programs(replace(settings, policies=False))


def test_settings_are_read_as_they_were_written(settings, tmp_path):
    (tmp_path / "cluster.json").write_text(settings.text())
    assert Settings.read(tmp_path / "cluster.json") == settings


def test_settings_of_another_version_still_lead_to_their_node(settings, tmp_path):
    written = json.loads(settings.text())
    del written["issuer"]
    (tmp_path / "cluster.json").write_text(json.dumps(written | {"added_later": 1}))
    read = Settings.read(tmp_path / "cluster.json")
    assert (read.identity, read.layout, read.issuer) == (settings.identity, settings.layout, "")


def test_damaged_settings_are_told_with_their_remedy(tmp_path):
    (tmp_path / "cluster.json").write_text('{"name": ')
    with pytest.raises(NodeError, match=r"cluster\.json cannot be read .*: remove it"):
        Settings.read(tmp_path / "cluster.json")


def test_two_state_folders_never_share_a_name(settings):
    assert settings.identity != replace(settings, state="/elsewhere").identity


def test_keys_are_made_once_and_renewed_when_due(settings):
    import datetime as dt

    settings.layout.prepare()
    now = dt.datetime.now(dt.UTC)
    everyone = {
        "apiserver",
        "etcd",
        "kubelet",
        "controller-manager",
        "scheduler",
        "proxy",
        "dns",
        "volumes",
        "policies",
    }
    assert keep_keys(settings, now=now) == everyone
    folder = settings.layout.keys
    lasting = {
        name: (folder / name).read_bytes()
        for name in ("service-accounts.key", "encryption.yaml", "cluster/ca.key")
    }
    assert keep_keys(settings, now=now) == set()
    (folder / "dns.pem").unlink()
    assert keep_keys(settings, now=now) == {"dns"}
    assert keep_keys(settings, now=now + dt.timedelta(days=340)) == everyone
    assert certificates_until(settings) > now + dt.timedelta(days=700)
    assert {name: (folder / name).read_bytes() for name in lasting} == lasting
    for file in (
        *folder.rglob("*.pem"),
        *folder.rglob("*.key"),
        *folder.glob("*.kubeconfig"),
        settings.layout.kubeconfig,
    ):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_a_users_certificate_is_not_the_etcds(settings):
    from swath_sde.trust import Authority

    settings.layout.prepare()
    keep_keys(settings)
    authorities = [
        Authority(settings.layout.keys / name).certificate for name in ("cluster", "etcd", "front-proxy")
    ]
    assert len({item.fingerprint(item.signature_hash_algorithm) for item in authorities}) == 3
