"""Bills of materials, from the databases of a root file system."""

import json
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from swath_sde.images import catalogue
from swath_sde.images._sbom import bill_of_materials

STATUS = """\
Package: bash
Status: install ok installed
Maintainer: Matthias Klose <doko@debian.org>
Architecture: amd64
Version: 5.2.37-2

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: libc6
Status: install ok installed
Maintainer: GNU Libc Maintainers <debian-glibc@lists.debian.org>
Architecture: amd64
Source: glibc
Version: 2.41-12
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "var/lib/dpkg/status").write_text(STATUS)
    metadata = tmp_path / "opt/hub/lib/python3.13/site-packages/Jupyter_Server-2.1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: Jupyter_Server\nVersion: 2.1\n")
    modules = tmp_path / "opt/proxy/node_modules"
    for place, content in (
        ("@scope/name", {"name": "@scope/name", "version": "3.0.0"}),
        ("@scope/name/node_modules/inner", {"name": "inner", "version": "0.1.0"}),
        ("inner/test/fixture", {"name": "not-a-package", "version": "9"}),
        ("inner/dist", {"type": "module"}),
    ):
        (modules / place).mkdir(parents=True)
        (modules / place / "package.json").write_text(json.dumps(content))
    keycloak = tmp_path / "opt/keycloak/lib/lib/main"
    keycloak.mkdir(parents=True)
    (tmp_path / "opt/keycloak/version.txt").write_text("Keycloak - Version 26.7.3\n")
    (keycloak / "io.quarkus.quarkus-core-3.27.1.jar").touch()
    return tmp_path


def test_is_valid_and_names_all_that_is_installed_and_nothing_else(root: Path) -> None:
    document = bill_of_materials(catalogue()["hub"], root)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(document) is None
    assert {component["purl"] for component in json.loads(document)["components"]} == {
        "pkg:deb/debian/bash@5.2.37-2?arch=amd64&distro=debian-13",
        "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13",
        "pkg:pypi/jupyter-server@2.1",
        "pkg:npm/%40scope/name@3.0.0",
        "pkg:npm/inner@0.1.0",
        "pkg:maven/org.keycloak/keycloak-quarkus-dist@26.7.3",
        "pkg:maven/io.quarkus/quarkus-core@3.27.1",
    }


def test_says_which_image_and_tag_it_is_of(root: Path) -> None:
    image = catalogue()["hub"]
    described = json.loads(bill_of_materials(image, root))["metadata"]["component"]
    assert (described["name"], described["version"]) == ("swath/hub", image.tag)
