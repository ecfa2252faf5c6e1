"""A package registry that does not serve what a lock names: told by name, nothing half-fetched, gone on with.

The registries are real servers on loopback, asked by the real clients; each can be told to refuse a package.
"""

import base64
import hashlib
import io
import json
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from swath_sde.images import BuildError, ChangedHashError, Image
from swath_sde.images._sources import assemble, images_folder


def wheel(name: str) -> bytes:
    """Return a wheel with nothing in it (PEP 427)."""
    info = f"{name}-1.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path), text)
    return buffer.getvalue()


def package(name: str) -> bytes:
    """Return an npm package with nothing in it."""
    content = json.dumps({"name": name, "version": "1.0.0"}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("package/package.json")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


WHEELS = {name: wheel(name) for name in ("first", "second", "uv")}
PACKAGE = package("left")


class Registries:
    """A Python package index (PEP 503) and an npm registry behind one address."""

    def __init__(self) -> None:
        self.refused: set[str] = set()
        self.changed: set[str] = set()
        registries = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, content = registries.answer(self.path)
                self.send_response(status)
                self.send_header(
                    "Content-Type", "text/html" if "/simple/" in self.path else "application/zip"
                )
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str) -> tuple[int, bytes]:
        parts = path.strip("/").split("/")
        name = parts[1] if parts[0] in {"simple", "files"} else parts[0]
        name = name.partition("-")[0]
        if name in self.refused:
            return 404, b""
        if parts[0] == "simple":
            return 200, f'<a href="/files/{name}-1-py3-none-any.whl">{name}</a>'.encode()
        if parts[0] == "files":
            return 200, wheel(f"{name}x") if name in self.changed else WHEELS[name]
        return (200, PACKAGE) if name == "left" else (404, b"")

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> Iterator[Registries]:
    made = Registries()
    monkeypatch.setenv("PIP_INDEX_URL", f"{made.address}/simple/")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    monkeypatch.setenv("npm_config_registry", made.address)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    yield made
    made.close()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a checkout with a lock of uv, and a state folder of its own."""
    root = tmp_path / "checkout"
    (root / "ci" / "templates").mkdir(parents=True)
    (root / "copier.yml").touch()
    (root / "requirements").mkdir()
    (root / "requirements" / "uv.txt").write_text(locked("uv"))
    monkeypatch.setenv("SWATH_CHECKOUT", str(root))
    monkeypatch.setenv("SWATH_HOME", str(tmp_path / "home"))
    return root


def locked(*names: str) -> str:
    return "".join(f"{name}==1 --hash=sha256:{hashlib.sha256(WHEELS[name]).hexdigest()}\n" for name in names)


def fetched(image: Image, tmp_path: Path, attempt: str) -> set[str]:
    """Assemble an image's context and return the names of what is in it."""
    context = tmp_path / f"context-{attempt}"
    assemble(image, context, log=tmp_path / "log")
    return {path.name for path in context.rglob("*") if path.is_file()}


def test_a_python_package_that_the_index_lacks_is_named_and_fetched_once_it_is_there(
    registries: Registries, checkout: Path, tmp_path: Path
) -> None:
    folder = checkout / "tool"
    folder.mkdir()
    (folder / "requirements.txt").write_text(locked("first", "second"))
    image = Image(name="tool", title="a tool", folder=folder, tag="0")
    registries.refused = {"second"}
    with pytest.raises(BuildError) as told:
        fetched(image, tmp_path, "refused")
    assert "The package index that pip uses does not serve second==1: have it mirrored there" in str(
        told.value
    )
    assert "the download of the wheels of tool failed" in str(told.value)
    assert not list((images_folder() / "sources").glob("wheels-*"))  # nothing half-fetched has the name
    registries.refused = set()
    assert {"first-1-py3-none-any.whl", "second-1-py3-none-any.whl"} <= fetched(image, tmp_path, "served")
    registries.refused = {"first", "second", "uv"}
    assert fetched(image, tmp_path, "kept")  # what was fetched is asked for no more


def test_a_python_package_that_was_changed_is_not_used(
    registries: Registries, checkout: Path, tmp_path: Path
) -> None:
    folder = checkout / "tool"
    folder.mkdir()
    (folder / "requirements.txt").write_text(locked("first"))
    registries.changed = {"first"}
    with pytest.raises(BuildError, match="serves another file than the lock names"):
        fetched(Image(name="tool", title="a tool", folder=folder, tag="0"), tmp_path, "changed")
    assert not list((images_folder() / "sources").glob("wheels-*"))


def test_an_npm_package_that_the_registry_lacks_is_named_and_fetched_once_it_is_there(
    registries: Registries, checkout: Path, tmp_path: Path
) -> None:
    folder = checkout / "page"
    folder.mkdir()
    (folder / ".npmrc").write_text(f"cache={tmp_path / 'npm'}\nfetch-retries=0\n")
    about = {"name": "page", "version": "1.0.0", "dependencies": {"left": "1.0.0"}}
    (folder / "package.json").write_text(json.dumps(about))
    lock = {
        "name": "page",
        "version": "1.0.0",
        "lockfileVersion": 3,
        "requires": True,
        "packages": {
            "": {**about},
            "node_modules/left": {
                "version": "1.0.0",
                "resolved": f"{registries.address}/left/-/left-1.0.0.tgz",
                "integrity": f"sha512-{base64.b64encode(hashlib.sha512(PACKAGE).digest()).decode()}",
            },
        },
    }
    (folder / "package-lock.json").write_text(json.dumps(lock))
    image = Image(name="page", title="a page", folder=folder, tag="0")
    registries.refused = {"left"}
    with pytest.raises(BuildError) as told:
        fetched(image, tmp_path, "refused")
    assert "The registry that npm uses does not serve" in str(told.value)
    assert "left-1.0.0.tgz" in str(told.value)
    assert not list((images_folder() / "sources").glob("npm-*"))
    registries.refused = set()
    assert "package.json" in fetched(image, tmp_path, "served")
    registries.refused = {"left"}
    assert fetched(image, tmp_path, "kept")


def test_a_changed_archive_is_never_used(tmp_path: Path) -> None:
    from swath_sde.images._sources import check_hash

    archive = tmp_path / "keycloak.zip"
    archive.write_bytes(b"changed on its way")
    with pytest.raises(ChangedHashError, match="is not used"):
        check_hash(archive, "0" * 64)
