"""Package sources for builds, derived from the machine's own: mirror, keys, certificates, login.

Images have no package sources. While one is built, a folder made here is mounted as ``/run/swath/apt``, and
apt looks there; so a site's mirror is used, and neither its name nor its login gets into an image.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from swath_sde.images._errors import BuildError
from swath_sde.images._programs import printed, program

_DOWNLOADS = r"Acquire::(https?|ftp|Check-[\w-]+|Retries|ForceIPv[46])(::| )(?!.*CAInfo)"
"""Settings of apt that say how a machine reaches its mirror."""

MOUNTED = "/run/swath/apt"
"""Where builds find their package sources; the script ``install-packages`` of the image base looks there."""

MACHINE = Path("/etc/apt")
"""Where the machine's apt has its configuration."""


def package_sources(folder: Path, *, suite: str, machine: Path = MACHINE) -> Path:
    """Write a configuration of apt for ``suite`` into ``folder``, and return that.

    With ``SWATH_APT`` set, the configuration is that folder's, as it is: for machines that are not Debian.

    Raises
    ------
    BuildError
        If the machine has no Debian package sources to derive these from.
    """
    named = os.environ.get("SWATH_APT")
    shutil.rmtree(folder, ignore_errors=True)
    if named:
        shutil.copytree(named, folder)
        return folder
    for part in ("sources.list.d", "apt.conf.d", "auth.conf.d", "keyrings", "preferences.d", "trusted.gpg.d"):
        (folder / part).mkdir(parents=True)
    keyring = _keyring(folder / "keyrings")
    stanzas = [
        f"Types: deb\nURIs: {address}\nSuites: {suite}{pocket}\nComponents: {component}\n"
        f"Signed-By: {MOUNTED}/keyrings/{keyring.name}\n"
        for address, pocket, component in _mirrors()
    ]
    if not stanzas:
        raise BuildError(
            f"{machine} has no package source of Debian to take the mirror from. Set SWATH_APT to a folder "
            f"that to be /etc/apt of the builds, with sources for {suite} and their keys."
        )
    (folder / "sources.list.d" / "debian.sources").write_text("\n".join(stanzas), encoding="utf-8")
    for login in (machine / "auth.conf.d").glob("*"):
        shutil.copy(login, folder / "auth.conf.d")
    (folder / "apt.conf").write_text(f'Dir::Etc "{MOUNTED}";\n', encoding="utf-8")
    _settings(folder)
    return folder


def _mirrors() -> list[tuple[str, str, str]]:
    """Return (address, pocket, component) of the machine's Debian sources; a pocket is '', '-updates' …."""
    told = printed(
        [
            program("apt-get"),
            "indextargets",
            "--format",
            "$(REPO_URI)|$(RELEASE)|$(COMPONENT)",
            "Created-By: Packages",
        ],
        step="apt-get indextargets",
    )
    found = []
    for line in dict.fromkeys(told.splitlines()):
        address, release, component = line.split("|")
        match = re.fullmatch(r"(?P<suite>[a-z]+)(?P<pocket>-updates|-security)?", release)
        if match and match["suite"] == _codename() and component == "main":
            found.append((address, match["pocket"] or "", component))
    return found


def _codename(release: Path = Path("/etc/os-release")) -> str:
    match = re.search(r'^VERSION_CODENAME="?(\w+)"?$', release.read_text(), re.MULTILINE)
    return match[1] if match else ""


def _keyring(folder: Path) -> Path:
    """Copy the keys of Debian's archive: they sign every suite, on whatever mirror."""
    for name in ("debian-archive-keyring.gpg", "debian-archive-keyring.pgp"):
        source = Path("/usr/share/keyrings") / name
        if source.is_file():
            return Path(shutil.copyfile(source, folder / name))
    raise BuildError("the keys of Debian's archive are missing: apt-get install debian-archive-keyring")


def _settings(folder: Path) -> None:
    """Write how the machine downloads; its hooks and the like have no business in an image.

    Its trusted certificates come along, as its mirror may stand behind the site's own authority.
    """
    told = printed([program("apt-config"), "dump"], step="apt-config dump").splitlines()
    lines = [line for line in told if re.match(_DOWNLOADS, line) and not line.endswith(' "";')]
    trusted = Path(os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt")
    if trusted.is_file():
        shutil.copyfile(trusted, folder / "machine.crt")
        lines.append(f'Acquire::https::CAInfo "{MOUNTED}/machine.crt";')
    # As the user _apt, apt could not read a login that only root can.
    lines += ['Acquire::Languages "none";', 'APT::Sandbox::User "root";']
    (folder / "apt.conf.d" / "machine").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
