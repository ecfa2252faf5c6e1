"""Everything that comes from a package registry is named with its hash, and no registry is named."""

import json
import re
from pathlib import Path

import pytest
import yaml
from swath_sde.images import ChangedHashError
from swath_sde.images._sources import check_hash
from swath_sde.places import checkout

IMAGES = checkout() / "platform" / "images"


@pytest.mark.parametrize("lock", sorted(IMAGES.glob("*/requirements.txt")), ids=lambda lock: lock.parent.name)
def test_every_wheel_has_a_hash(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", lock.read_text().strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9._-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("lock", sorted(IMAGES.rglob("package-lock.json")), ids=lambda lock: lock.parent.name)
def test_every_npm_package_has_a_hash_and_no_address(lock: Path) -> None:
    packages = {name: entry for name, entry in json.loads(lock.read_text())["packages"].items() if name}
    assert packages
    for name, entry in packages.items():
        assert re.search(r"(^| )sha512-[\w+/]{86}==($| )", entry["integrity"]), name
        assert "resolved" not in entry, name


@pytest.mark.parametrize("file", sorted(IMAGES.glob("*/artifacts.yaml")), ids=lambda file: file.parent.name)
def test_every_archive_has_a_hash(file: Path) -> None:
    for entry in yaml.safe_load(file.read_text()).values():
        assert re.fullmatch(r"[0-9a-f]{64}", entry["sha256"])
        assert re.fullmatch(r"[\w.]+:[\w.-]+:[\d.]+:\w+", entry["maven"])


def test_no_file_names_a_package_source() -> None:
    for path in IMAGES.rglob("*"):
        if path.is_file():
            assert not re.search(r"https?://\S*(debian|pypi|npmjs|maven)", path.read_text()), path


def test_refuses_a_download_with_another_hash(tmp_path: Path) -> None:
    file = tmp_path / "keycloak.zip"
    file.write_bytes(b"what was published")
    with pytest.raises(ChangedHashError, match=r"keycloak\.zip has the SHA-256 .*, but its lock says 0000"):
        check_hash(file, "0" * 64)


def test_takes_a_download_with_its_hash(tmp_path: Path) -> None:
    file = tmp_path / "empty"
    file.touch()
    check_hash(file, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
