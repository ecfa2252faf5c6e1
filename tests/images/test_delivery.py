"""Delivery to a real registry with TLS and a login, and as archives; what is old goes."""

import datetime as dt
import json
import subprocess
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from socket import create_connection
from time import monotonic, sleep
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from swath_sde.configuration import Installation
from swath_sde.images import (
    BuildError,
    Built,
    Records,
    Registry,
    archive_images,
    catalogue,
    prune_images,
    push_images,
)
from swath_sde.images._inventory import bill_from_registry

HOST = "registry.image-tests.localhost"
PASSWORD = "a password with a space"


@dataclass(frozen=True)
class Served:
    """A registry that runs."""

    registry: Registry
    installation: Installation
    storage: Path


def certificate(folder: Path) -> Path:
    """Write a certificate of its own authority and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "tls.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return folder / "tls.crt"


def hashed(password: str) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import crypt  # bcrypt of the C library; the registry takes nothing else
    return crypt.crypt(password, crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=2**5))


@pytest.fixture
def served(
    container: Callable[[str], Any], installation: Installation, free_port: Callable[[], int], tmp_path: Path
) -> Iterator[Served]:
    """Serve the image `registry` on loopback, as its user, with TLS and a login."""
    files, storage = tmp_path / "files", tmp_path / "storage"
    files.mkdir()
    storage.mkdir()
    authority = certificate(files)
    (files / "htpasswd").write_text(f"swath:{hashed(PASSWORD)}\n")
    port = free_port()
    configuration = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": "/var/lib/registry"}, "delete": {"enabled": True}},
        "http": {
            "addr": f"127.0.0.1:{port}",
            "tls": {"certificate": "/etc/registry/tls.crt", "key": "/etc/registry/tls.key"},
        },
        "auth": {"htpasswd": {"realm": "swath", "path": "/etc/registry/htpasswd"}},
    }
    (files / "config.yml").write_text(json.dumps(configuration))
    subprocess.run(["chown", "-R", "1000:1000", files, storage], check=True)
    volumes = [f"{files}:/etc/registry:ro", f"{storage}:/var/lib/registry"]
    log = tmp_path / "registry.log"
    command = ["docker-registry", "serve", "/etc/registry/config.yml"]
    with container("registry").started(*command, volumes=volumes, log=log):
        end = monotonic() + 30
        while True:
            try:
                create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert monotonic() < end, log.read_text()
                sleep(0.1)
        registry = Registry(
            address=f"{HOST}:{port}/swath", username="swath", password=PASSWORD, certificate=authority
        )
        yield Served(registry=registry, installation=installation, storage=storage)


def test_images_are_pushed_once_and_named_by_digest(
    served: Served, built: Callable[..., dict[str, Built]]
) -> None:
    built("haproxy")
    told: list[str] = []
    pushed = push_images(served.installation, served.registry, ["haproxy"], told.append)
    one = pushed["haproxy"]
    tag = catalogue()["haproxy"].tag
    assert one.digest
    assert one.reference == f"{served.registry.address}/haproxy:{tag}@{one.digest}"
    assert served.registry.digest("haproxy", tag) == one.digest
    assert Records(served.installation.name).read()["haproxy"] == one
    assert push_images(served.installation, served.registry, ["haproxy"], told.append) == pushed
    assert told == ["haproxy"]
    # The login was in a file for as long as it was needed.
    folder = Records(served.installation.name).folder
    assert list(folder.glob("push-*")) == []
    for path in folder.rglob("*"):
        assert not path.is_file() or PASSWORD not in path.read_text(errors="replace")


def test_a_wrong_password_and_an_unknown_authority_are_refused(
    served: Served, built: Callable[..., dict[str, Built]], tmp_path: Path
) -> None:
    built("haproxy")
    with pytest.raises(BuildError, match="refused the login of swath"):
        push_images(served.installation, replace(served.registry, password="wrong"), ["haproxy"])
    other = tmp_path / "other"
    other.mkdir()
    with pytest.raises(BuildError, match=r"does not answer: .*certificate verify failed"):
        push_images(
            served.installation, replace(served.registry, certificate=certificate(other)), ["haproxy"]
        )


def test_old_tags_go_from_the_registry_and_used_ones_stay(
    served: Served, built: Callable[..., dict[str, Built]]
) -> None:
    built("haproxy")
    push_images(served.installation, served.registry, ["base", "haproxy"])
    put(served.registry, "old")
    assert served.registry.tags("haproxy") == sorted(["old", catalogue()["haproxy"].tag])
    used = prune_images(
        served.installation, registry=served.registry, used=["x/swath/haproxy:old@sha256:00"], dry_run=True
    )
    assert not [change for change in used if change.kind == "image in the registry"]
    gone = prune_images(served.installation, registry=served.registry, dry_run=True)
    assert [change.name for change in gone if change.kind == "image in the registry"] == ["haproxy:old"]
    assert served.registry.tags("haproxy") == sorted(["old", catalogue()["haproxy"].tag])
    digest = served.registry.digest("haproxy", "old")
    assert digest is not None
    served.registry.delete("haproxy", digest)
    assert served.registry.tags("haproxy") == [catalogue()["haproxy"].tag]


def test_a_bill_of_materials_from_the_registry_is_the_one_from_storage(
    served: Served, built: Callable[..., dict[str, Built]], tmp_path: Path
) -> None:
    built("hub")
    digest = push_images(served.installation, served.registry, ["hub"])["hub"].digest
    assert digest is not None
    hub = catalogue()["hub"]
    pulled = json.loads(bill_from_registry(hub, served.registry, digest, work=tmp_path))
    stored = json.loads(Records(served.installation.name).sbom(hub).read_text())
    assert len(stored["components"]) > 100
    assert pulled["components"] == stored["components"]
    with pytest.raises(BuildError, match=r"does not give the manifest of hub@sha256:0+ \(status 404\)"):
        bill_from_registry(hub, served.registry, f"sha256:{'0' * 64}", work=tmp_path)
    with (
        pytest.raises(BuildError, match=r"does not give the layer sha256:0+ of hub \(status 404\)"),
        served.registry.blob("hub", f"sha256:{'0' * 64}"),
    ):
        pass


def put(registry: Registry, tag: str) -> None:
    """Give haproxy's manifest, with an annotation that makes it another, a second tag."""
    name = "haproxy"
    status, _, body = registry._ask("GET", f"{name}/manifests/{catalogue()[name].tag}")
    assert status == 200
    manifest = {**json.loads(body), "annotations": {"of": "older files"}}
    status, _, body = registry._ask("PUT", f"{name}/manifests/{tag}", body=json.dumps(manifest).encode())
    assert status == 201, body


def test_an_archive_holds_the_reference_that_the_cluster_calls(installation: Installation) -> None:
    (archive,) = archive_images(installation, ["haproxy"]).values()
    told = subprocess.run(
        ["tar", "--extract", "--to-stdout", "--file", archive, "manifest.json"],
        capture_output=True,
        check=True,
    )
    (entry,) = json.loads(told.stdout)
    assert f"{installation.image_registry}/haproxy:{catalogue()['haproxy'].tag}" in entry["RepoTags"]
