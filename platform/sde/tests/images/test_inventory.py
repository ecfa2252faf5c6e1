"""Bills of materials from a registry: layers are read in order, verified, and only for what tells."""

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from swath_sde.images import BuildError, catalogue
from swath_sde.images._inventory import add_layer, bill_from_registry

STATUS = "Package: {}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n"
SITE = "opt/hub/lib/python3.13/site-packages"


def layer(files: dict[str, str], *, compressed: bool = False) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return gzip.compress(buffer.getvalue()) if compressed else buffer.getvalue()


def distribution(name: str) -> str:
    return f"Metadata-Version: 2.1\nName: {name}\nVersion: 2\n"


class Kept:
    """What a registry has of the image hub; `Registry` itself is tested against a real one."""

    def __init__(self, *layers: bytes) -> None:
        self.blobs = {f"sha256:{hashlib.sha256(blob).hexdigest()}": blob for blob in layers}

    def manifest(self, name: str, digest: str) -> bytes:
        assert (name, digest) == ("hub", "sha256:00")
        return json.dumps({"layers": [{"digest": blob, "mediaType": "tar"} for blob in self.blobs]}).encode()

    @contextmanager
    def blob(self, name: str, digest: str) -> Iterator[IO[bytes]]:
        assert name == "hub"
        yield io.BytesIO(self.blobs[digest])


def told(kept: Kept, work: Path) -> set[str]:
    document = bill_from_registry(catalogue()["hub"], kept, "sha256:00", work=work)  # type: ignore[arg-type]
    return {component["name"] for component in json.loads(document)["components"]}


def test_an_upper_layer_replaces_and_removes_what_is_below(tmp_path: Path) -> None:
    below = {
        "var/lib/dpkg/status": STATUS.format("base"),
        f"{SITE}/gone-2.dist-info/METADATA": distribution("gone"),
        f"{SITE}/stays-2.dist-info/METADATA": distribution("stays"),
        "opt/old/node_modules/left/package.json": json.dumps({"name": "left", "version": "1"}),
    }
    above = {
        "./var/lib/dpkg/status": STATUS.format("more"),
        f"{SITE}/.wh.gone-2.dist-info": "",
        "opt/old/.wh..wh..opq": "",
    }
    kept = Kept(layer(below), layer(above, compressed=True))
    assert told(kept, tmp_path) == {"more", "stays"}
    assert list(tmp_path.iterdir()) == []


def test_only_what_tells_is_written_and_nothing_outside_of_the_folder(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    files = {
        "usr/bin/large": "x" * 1000,
        "etc/shadow": "root:secret",
        "../outside/var/lib/dpkg/status": "no",
        "opt/../../var/lib/dpkg/status": "no",
        "/var/lib/dpkg/status": STATUS.format("base"),
    }
    add_layer(root, io.BytesIO(layer(files)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [root / "var/lib/dpkg/status"]


def test_a_layer_that_is_not_what_its_digest_says_is_refused(tmp_path: Path) -> None:
    kept = Kept(layer({"var/lib/dpkg/status": STATUS.format("base")}))
    (digest,) = kept.blobs
    kept.blobs[digest] = layer({"var/lib/dpkg/status": STATUS.format("other")})
    with pytest.raises(BuildError, match=f"gave a layer with the digest sha256:.* for {digest}: it is not"):
        told(kept, tmp_path)


def test_a_layer_that_is_no_archive_is_told(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"a layer of hub cannot be read \(tar\)"):
        told(Kept(b"nothing of this kind" * 100), tmp_path)
