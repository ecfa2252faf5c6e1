"""Bills of materials: what is in an image, read from the databases that it carries itself.

Debian packages come from dpkg's status, Python distributions from their metadata, npm packages from their
``package.json`` and Keycloak's Java libraries from the names of their archives.
The document is CycloneDX 1.6.
"""

from __future__ import annotations

import json
import re
from email.parser import HeaderParser
from importlib.metadata import PathDistribution
from typing import TYPE_CHECKING
from zipfile import ZipFile, is_zipfile

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.contact import OrganizationalEntity
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from swath_sde.images._catalogue import Image


def bill_of_materials(image: Image, root: Path) -> str:
    """Return the CycloneDX document of an image, as JSON.

    Parameters
    ----------
    image
        The image.
    root
        Its root file system.
    """
    bom = Bom()
    bom.metadata.component = Component(
        name=f"swath/{image.name}",
        version=image.tag,
        type=ComponentType.CONTAINER,
        bom_ref=f"swath/{image.name}",
    )
    components: dict[str, Component] = {}
    for component in (*debian(root), *python(root), *npm(root), *java(root)):
        components.setdefault(str(component.purl), component)
    bom.components.update(components.values())
    bom.register_dependency(bom.metadata.component, components.values())
    return JsonV1Dot6(bom).output_as_string(indent=2)


def debian(root: Path) -> Iterator[Component]:
    """Yield the Debian packages that are installed, as dpkg's status tells them."""
    status = root / "var/lib/dpkg/status"
    text = status.read_text(encoding="utf-8", errors="replace") if status.is_file() else ""
    for stanza in filter(str.strip, text.split("\n\n")):
        fields = HeaderParser().parsestr(stanza)
        if fields["Status"] != "install ok installed":
            continue
        qualifiers = {"arch": fields["Architecture"], "distro": "debian-13"}
        url = PackageURL("deb", "debian", fields["Package"], fields["Version"], qualifiers)
        source = (fields["Source"] or fields["Package"]).split(" ")[0]
        yield _component(url, supplier=fields["Maintainer"], description=f"Debian source package {source}")


def python(root: Path) -> Iterator[Component]:
    """Yield the Python distributions of all environments below /opt and of the system."""
    for folder in (
        *root.glob("opt/*/lib/python3*/site-packages"),
        *root.glob("usr/lib/python3/dist-packages"),
    ):
        for metadata in sorted((*folder.glob("*.dist-info"), *folder.glob("*.egg-info"))):
            distribution = PathDistribution(metadata)
            name = re.sub(r"[-_.]+", "-", distribution.name).lower()
            yield _component(PackageURL("pypi", None, name, distribution.version))


def npm(root: Path) -> Iterator[Component]:
    """Yield the npm packages below /opt, nested ones among them, and those that Debian's Node.js has."""
    for base in (root / "opt", root / "usr/share/nodejs", root / "usr/lib/nodejs"):
        for found in sorted(base.rglob("package.json")) if base.is_dir() else ():
            if not found.is_file() or "node_modules" not in found.relative_to(root).parts:
                continue
            try:
                package = json.loads(found.read_text(encoding="utf-8", errors="replace"))
                name, version = package["name"], package["version"]
            except (ValueError, KeyError, TypeError):
                continue  # a file of that name that describes no package
            place = found.parent.relative_to(root).as_posix().rsplit("node_modules/", 1)[-1]
            if place != name:
                continue  # inside of a package: a part or a test of it
            namespace, _, short = name.rpartition("/")
            yield _component(PackageURL("npm", namespace or None, short, version))


def java(root: Path) -> Iterator[Component]:
    """Yield Keycloak and its Java libraries: their archives are named GROUP.NAME-VERSION."""
    version = root / "opt/keycloak/version.txt"
    if not version.is_file():
        return
    found = re.search(r"\d+\.\d+\.\d+", version.read_text())
    yield _component(
        PackageURL("maven", "org.keycloak", "keycloak-quarkus-dist", found[0] if found else None)
    )
    for archive in sorted((root / "opt/keycloak/lib/lib").rglob("*.jar")):
        match = re.fullmatch(r"(?P<name>[\w.-]+?)-(?P<version>\d[\w.+-]*)", archive.stem)
        if match:
            group, name = _coordinates(archive, match["name"])
            yield _component(PackageURL("maven", group, name, match["version"]))


def _coordinates(archive: Path, joined: str) -> tuple[str, str]:
    """Split GROUP.NAME: as the archive's own description says, else at the last dot."""
    if is_zipfile(archive):
        for entry in ZipFile(archive).namelist():
            parts = entry.split("/")
            if entry.endswith("/pom.properties") and len(parts) == 5 and f"{parts[2]}.{parts[3]}" == joined:
                return parts[2], parts[3]
    group, _, name = joined.rpartition(".")
    return group, name


def _component(url: PackageURL, *, supplier: str | None = None, description: str | None = None) -> Component:
    return Component(
        name=url.name,
        group=url.namespace if url.type in {"npm", "maven"} else None,
        version=url.version,
        purl=url,
        bom_ref=str(url),
        type=ComponentType.LIBRARY,
        supplier=OrganizationalEntity(name=supplier) if supplier else None,
        description=description,
    )
