"""The Python that the chart hub carries, against the packages of the hub's image.

They do not fit into this repository's own environment (another SQLAlchemy, another tornado), so they get one
of their own below ``.cache``, made of the hashed lock beside the tests and kept until the lock changes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import kubernetes_validate
import pytest

from .conftest import CHARTS, REPOSITORY, USED, python_of
from .test_security import violations

if TYPE_CHECKING:
    from .conftest import Helm

TESTS = Path(__file__).parent / "hub"
SECRETS = {
    "client-secret": "of-the-client",
    "proxy-token": "of-the-proxy",
    "db-password": "of-the-database",
    "crypt-key": "ab" * 32,
    "cookie-secret": "cd" * 32,
}
VALUES = {
    **USED["hub"],
    "installation": "swath",
    "oidc": {"issuer": "https://keycloak.swath.localhost:8443/realms/swath"},
    "profiles": ["jupyterlab", "code-server"],
}


@pytest.fixture(scope="session")
def hub_python() -> Path:
    """Return the interpreter of an environment with the hub's packages."""
    return python_of(TESTS / "requirements.txt")


@pytest.fixture
def environment(helm: Helm, tmp_path: Path) -> dict[str, str]:
    """Return the environment of the hub's pod: what it mounts is laid out in a folder."""
    return lay_out(helm, tmp_path, VALUES)


def lay_out(helm: Helm, folder: Path, values: dict[str, Any]) -> dict[str, str]:
    maps = {
        body["metadata"]["name"]: body["data"]
        for body in helm.objects("hub", values)
        if body["kind"] == "ConfigMap"
    }
    mounted, secrets = folder / "jupyterhub", folder / "secrets"
    mounted.mkdir()
    secrets.mkdir()
    for name, text in maps["hub"].items():
        (mounted / name).write_text(text, "utf-8")
    for name, text in SECRETS.items():
        (secrets / name).write_text(f"{text}\n", "utf-8")
    return {**os.environ, "SWATH_HUB_CONFIG": str(mounted), "SWATH_HUB_SECRETS": str(secrets)}


def make_pod(python: Path, environment: dict[str, str], user: str, profile: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, TESTS / "make_pod.py", user, profile],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("module", ["config", "access", "activity", "culling"])
def test_of_the_hubs_python(hub_python: Path, environment: dict[str, str], module: str) -> None:
    """Run the tests of hub/, each of which shows in this one's output if it fails."""
    done = subprocess.run(
        [
            hub_python,
            "-m",
            "pytest",
            "-q",
            "--no-header",
            "-p",
            "no:cacheprovider",
            "-c",
            TESTS / "pytest.ini",
            TESTS / f"test_{module}.py",
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_users_pods_are_restricted_and_fit_kubernetes_schema(
    hub_python: Path, environment: dict[str, str]
) -> None:
    made = make_pod(hub_python, environment, "ada", "code-server")
    pod = made["pod"]
    kubernetes_validate.validate(pod, "1.35", strict=True)
    kubernetes_validate.validate(made["claim"], "1.35", strict=True)
    assert violations(pod["spec"]) == []
    assert pod["spec"]["automountServiceAccountToken"] is False
    assert pod["spec"]["serviceAccountName"] == "workspace"
    assert pod["spec"]["imagePullSecrets"] == [{"name": "registry-pull"}]
    # The network policies and the database's select by these.
    assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == "workspace"
    assert pod["metadata"]["labels"]["app.kubernetes.io/instance"] == "hub"
    assert made["claim"]["metadata"]["name"] == "claim-ada"
    assert made["claim"]["spec"]["storageClassName"] == "fast"
    assert made["delete_pvc"] is False


@pytest.mark.parametrize(("profile", "opens"), [("jupyterlab", "/lab"), ("code-server", "/vscode/")])
def test_a_profile_opens_its_page(
    hub_python: Path, environment: dict[str, str], profile: str, opens: str
) -> None:
    (container,) = make_pod(hub_python, environment, "ada", profile)["pod"]["spec"]["containers"]
    told = {variable["name"]: variable.get("value") for variable in container["env"]}
    assert told["JUPYTERHUB_DEFAULT_URL"] == opens
    assert told["SSL_CERT_FILE"] == "/etc/swath/trust/bundle.crt"


def test_an_unusual_name_gets_volumes_and_pods_of_its_own(
    hub_python: Path, environment: dict[str, str]
) -> None:
    names = {
        make_pod(hub_python, environment, user, "jupyterlab")["claim"]["metadata"]["name"]
        for user in ("a-b", "a.b", "a_b")
    }
    assert len(names) == 3


def test_packages_are_those_of_the_images() -> None:
    """The lock of these tests names the versions that the images have."""
    ours = _pins(TESTS / "requirements.txt")
    for image in ("hub", "workspace-base"):
        theirs = _pins(REPOSITORY / "platform" / "images" / image / "requirements.txt")
        assert {name: ours[name] for name in ours if name.startswith("jupyterhub") and name in theirs} == {
            name: theirs[name] for name in ours if name.startswith("jupyterhub") and name in theirs
        }


def _pins(lock: Path) -> dict[str, str]:
    lines = (line for line in lock.read_text("utf-8").splitlines() if "==" in line and line[0].isalpha())
    return dict(line.split(" ")[0].split("==") for line in lines)


def test_python_of_the_charts_is_typed(hub_python: Path) -> None:
    files = sorted(CHARTS.glob("*/files/**/*.py"))
    assert files
    for group in ("hub", "workspace"):
        chosen = [str(path) for path in files if path.parent.name == group]
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "mypy",
                "--strict",
                "--ignore-missing-imports",
                "--python-executable",
                hub_python,
                "--cache-dir=/dev/null",
                *chosen,
            ],
            capture_output=True,
            text=True,
            check=False,
            cwd=REPOSITORY / "charts" / "hub" / "files" / group,
        )
        assert done.returncode == 0, done.stdout
