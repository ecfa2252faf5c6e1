"""Builds in a cluster: what is asked of Kubernetes and of the executor."""

import base64
import io
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from swath_sde.images import Job, catalogue
from swath_sde.images._job import KINDS, packed

REGISTRY = "registry.example.org:8443/swath"

# The flags of kaniko's executor, from the README of the maintained fork (osscontainertools/kaniko, v1.28).
DOCUMENTED = {
    *("--build-arg", "--context", "--context-sub-path", "--destination", "--digest-file", "--dockerfile"),
    *("--ignore-path", "--label", "--push-retry", "--registry-certificate", "--reproducible"),
    *("--single-snapshot", "--snapshot-mode", "--target", "--verbosity"),
}


def job(kind: str) -> Job:
    return Job(
        image=catalogue()["hub"],
        registry=REGISTRY,
        namespace="swath-builds",
        executor="registry.example.org/executor:1",
        kind=kind,
    )


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list.d" / "debian.sources").write_text("Types: deb\n")
    (tmp_path / "keyrings").mkdir()
    (tmp_path / "keyrings" / "archive.gpg").write_bytes(b"\x99\x00\xff")
    return tmp_path


def objects(kind: str, apt: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    secret, made = job(kind).objects(apt, parents={"BASE": f"{REGISTRY}/base:0123"})
    return secret, made


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", ["1.35", "1.37"])
def test_kubernetes_takes_the_objects(kind: str, version: str, apt: Path) -> None:
    for each in objects(kind, apt):
        kubernetes_validate.validate(each, version, strict=True)


def test_every_flag_of_kaniko_is_documented() -> None:
    for argument in job("kaniko").arguments({"BASE": "x"}):
        assert argument.partition("=")[0] in DOCUMENTED


@pytest.mark.parametrize("kind", ["builder", "buildkit"])
def test_our_own_builders_understand_every_argument(kind: str) -> None:
    script = (catalogue()[kind].folder / "files/usr/libexec/swath/build").read_text()
    for argument in job(kind).arguments({"BASE": "x"}):
        assert f"{argument.partition('=')[0]}=" in script


def test_the_registry_is_trusted_by_its_certificate_and_nothing_is_insecure() -> None:
    arguments = job("kaniko").arguments({})
    assert "--registry-certificate=registry.example.org:8443=/etc/swath/trust/bundle.crt" in arguments
    assert not [argument for argument in arguments if "insecure" in argument or "skip-tls" in argument]


def test_the_package_sources_arrive_where_apt_looks(apt: Path) -> None:
    secret, made = objects("kaniko", apt)
    (volume,) = [v for v in made["spec"]["template"]["spec"]["volumes"] if v["name"] == "apt"]
    arrived = {
        item["path"]: base64.b64decode(secret["data"][item["key"]]) for item in volume["secret"]["items"]
    }
    assert arrived == {
        "sources.list.d/debian.sources": b"Types: deb\n",
        "keyrings/archive.gpg": b"\x99\x00\xff",
    }


@pytest.mark.parametrize(("kind", "name"), [("builder", "REGISTRY_AUTH_FILE"), ("buildkit", "DOCKER_CONFIG")])
def test_no_secret_stands_on_a_command_line_or_in_the_environment(kind: str, name: str, apt: Path) -> None:
    _, made = objects(kind, apt)
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert [entry["name"] for entry in container["env"]] == [name]
    assert container["env"][0]["value"].startswith("/run/swath/login")


def test_buildkit_is_no_root_and_not_privileged(apt: Path) -> None:
    _, made = objects("buildkit", apt)
    (container,) = made["spec"]["template"]["spec"]["containers"]
    security = container["securityContext"]
    assert security["runAsNonRoot"]
    assert security["runAsUser"] == 1000
    assert "privileged" not in security
    assert security["capabilities"] == {"drop": ["ALL"], "add": ["SETGID", "SETUID"]}


@pytest.mark.parametrize("name", list(catalogue()))
def test_buildkit_gives_every_step_the_package_sources(name: str) -> None:
    # Its script puts the mount into lines that begin with RUN: these have to be all steps, and nothing else.
    lines = [line for line in (catalogue()[name].folder / "Dockerfile").read_text().splitlines() if line]
    code = [line for line in lines if not line.lstrip().startswith("#")]
    begins = [line for before, line in pairwise(["", *code]) if not before.endswith("\\")]
    steps = [line for line in begins if line.split()[0].upper() == "RUN"]
    assert steps == [line for line in lines if line.startswith("RUN ")]
    assert not [line for line in code if "<<" in line or "--mount" in line]


def test_kaniko_keeps_to_what_the_level_baseline_allows(apt: Path) -> None:
    baseline = {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }  # Pod Security Standards, baseline
    _, made = objects("kaniko", apt)
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert set(container["securityContext"]["capabilities"]["add"]) <= baseline
    assert not container["securityContext"].get("privileged")


def test_a_context_is_packed_whole_and_equally(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "start").write_text("#!/bin/sh\n")
    (tmp_path / "files" / "start").chmod(0o755)
    with tarfile.open(fileobj=io.BytesIO(packed(tmp_path)), mode="r:gz") as archive:
        assert sorted(archive.getnames()) == ["Dockerfile", "files", "files/start"]
        assert archive.getmember("files/start").mode & 0o111
        assert {(member.uid, member.mtime) for member in archive} == {(0, 0)}
