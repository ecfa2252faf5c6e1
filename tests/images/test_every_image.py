"""What is promised of every image, on the images themselves."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from swath_sde.changes import pending
from swath_sde.configuration import Installation
from swath_sde.images import Built, Records, catalogue, plan_images
from swath_sde.images._apt import MOUNTED, package_sources
from swath_sde.images._buildah import Buildah

IMAGES = list(catalogue())
AS_ROOT = {"builder"}
"""Images whose program needs root, each with its reason in its Dockerfile."""


@pytest.mark.parametrize("name", IMAGES)
def test_runs_as_an_ordinary_user_given_by_number(name: str, built: Callable[..., dict[str, Built]]) -> None:
    built(name)
    told = subprocess.run(
        Buildah(suite="trixie")._command("inspect", "--type", "image", catalogue()[name].local),
        capture_output=True,
        check=True,
    )
    user = json.loads(told.stdout)["OCIv1"]["config"]["User"]
    assert user == ("0:0" if name in AS_ROOT else "1000:1000")


@pytest.mark.parametrize("name", IMAGES)
def test_has_no_setuid_file_and_nothing_of_the_site_that_built_it(
    name: str, built: Callable[..., dict[str, Built]]
) -> None:
    built(name)
    with Buildah(suite="trixie").mounted(catalogue()[name]) as root:
        find = ["find", root, "-xdev", "-type", "f"]
        assert subprocess.run([*find, "-perm", "/6000"], capture_output=True, check=True).stdout == b""
        lists = root / "var/lib/apt/lists"
        assert [path.name for path in lists.rglob("*") if path.is_file() and path.stat().st_size] == []
        assert list((root / "etc/apt/sources.list.d").iterdir()) == []
        assert not (root / "etc/apt/sources.list").exists()
        left = [path for path in (root / "run/swath").rglob("*") if path.is_file()]
        assert left == []
        # What the programs run from is not theirs to change.
        writable = [*find, "-path", f"{root}/usr/*", "(", "-user", "1000", "-o", "-perm", "-o+w", ")"]
        assert subprocess.run(writable, capture_output=True, check=True).stdout == b""
        private = [
            "grep",
            "-rlE",
            "--include=*.pem",
            "--include=*.key",
            "-e",
            "-----BEGIN .*PRIVATE KEY",
            root / "etc",
        ]
        assert subprocess.run(private, capture_output=True, check=False).stdout == b""


@pytest.mark.parametrize("name", IMAGES)
def test_its_bill_of_materials_is_valid_and_has_what_dpkg_has(
    name: str, installation: Installation, built: Callable[..., dict[str, Built]]
) -> None:
    built(name)
    document = Records(installation.name).sbom(catalogue()[name]).read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    told = {
        match["package"]: match["version"]
        for component in json.loads(document)["components"]
        if (match := re.match(r"pkg:deb/debian/(?P<package>[^@]+)@(?P<version>[^?]+)", component["purl"]))
    }
    with Buildah(suite="trixie").mounted(catalogue()[name]) as root:
        query = [
            "dpkg-query",
            f"--admindir={root}/var/lib/dpkg",
            "--show",
            "--showformat=${Package} ${db:Status-Abbrev}\n",
        ]
        listed = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()
    installed = {line.split()[0] for line in listed if line.split()[1] == "ii"}
    assert {package.replace("%2B", "+") for package in told} == installed


def test_a_workspace_adds_one_small_layer_to_what_follows_from_locks(
    built: Callable[..., dict[str, Built]],
) -> None:
    built("workspace")

    def layers(name: str) -> list[dict[str, Any]]:
        inspect = Buildah(suite="trixie")._command("inspect", "--type", "image", catalogue()[name].local)
        told = json.loads(subprocess.run(inspect, capture_output=True, check=True).stdout)
        return list(json.loads(told["Manifest"])["layers"])

    *below, own = layers("workspace")
    assert below == layers("workspace-base")
    assert own["size"] < 10_000_000
    assert below[-1]["size"] > 50 * own["size"]


def test_a_second_build_does_nothing(
    installation: Installation, built: Callable[..., dict[str, Built]]
) -> None:
    first = built("haproxy")
    assert pending(plan_images(installation, ["haproxy"])) == []
    assert built("haproxy") == first


def test_package_sources_of_a_build_are_the_machines_for_the_images_suite(tmp_path: Path) -> None:
    made = package_sources(tmp_path / "apt", suite="trixie")
    sources = (made / "sources.list.d" / "debian.sources").read_text()
    assert "Suites: trixie\n" in sources
    assert "Suites: trixie-security\n" in sources
    keyrings = set(re.findall(r"Signed-By: (.*)", sources))
    assert keyrings
    for keyring in keyrings:
        assert (made / Path(keyring).relative_to(MOUNTED)).is_file()
    settings = (made / "apt.conf.d" / "machine").read_text().splitlines()
    assert [line for line in settings if not line.startswith(("Acquire::", "APT::Sandbox::User "))] == []
