"""What nobody needs any more leaves the installation's registry; what is used stays whole."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from installation import Platform

MANIFEST = "application/vnd.oci.image.manifest.v1+json"

Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(platform: Platform) -> Ask:
    """Ask the registry for something of an image, with its login."""
    password = platform.secret("registry", "registry", "password")
    login = {
        "Authorization": f"Basic {base64.b64encode(f'swath:{password}'.encode()).decode()}",
        "Accept": MANIFEST,
        "Content-Type": MANIFEST,
    }

    def of(method: str, path: str, body: bytes | None = None) -> tuple[int, str]:
        return platform.ask(method, "registry", f"/v2/{platform.name}/{path}", login, body)

    return of


def test_old_tags_and_their_room_go_and_what_is_used_stays(
    platform: Platform, ask: Ask, tmp_path: Path
) -> None:
    (current,) = json.loads(ask("GET", "proxy/tags/list")[1])["tags"]
    manifest = json.loads(ask("GET", f"proxy/manifests/{current}")[1])
    for tag, note in (("old", "of older files"), ("used", "of older files, and in use")):
        body = json.dumps({**manifest, "annotations": {"note": note}}).encode()
        assert ask("PUT", f"proxy/manifests/{tag}", body)[0] == 201
    reference = f"registry.{platform.description['domain']}:{platform.port}/{platform.name}/proxy:used"
    notes = (
        "-n",
        f"{platform.name}-hub",
        "create",
        "configmap",
        "names-an-image",
        f"--from-literal=it={reference}",
    )
    platform.kubectl(*notes)
    # The images that this machine has built are not this test's to remove.
    elsewhere = replace(platform, environment={**platform.environment, "XDG_CACHE_HOME": str(tmp_path)})
    try:
        told = json.loads(elsewhere.swath("image", "prune", "--registry", "--dry-run", "--json").stdout)
        assert [(one["kind"], one["name"]) for one in told] == [("image in the registry", "proxy:old")]
        assert ask("HEAD", "proxy/manifests/old")[0] == 200
        done = elsewhere.swath("image", "prune", "--registry")
        assert done.returncode == 0, done.stderr
        assert "image in the registry proxy:old" in done.stdout
        assert "garbage of the registry" in done.stdout
        assert ask("HEAD", "proxy/manifests/old")[0] == 404
        assert ask("HEAD", "proxy/manifests/used")[0] == 200
        for layer in (manifest["config"], *manifest["layers"]):
            assert ask("HEAD", f"proxy/blobs/{layer['digest']}")[0] == 200
    finally:
        platform.kubectl("-n", f"{platform.name}-hub", "delete", "configmap", "names-an-image")
    assert platform.plan() == []
