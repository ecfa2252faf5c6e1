"""One installation for all of these tests: `swath up` in a state folder of its own, on free ports.

What can be made anew (programs, images) is kept in this machine's cache, so that only a first run builds it.
"""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

SWATH = Path(sys.executable).with_name("swath")
KUBECTL = Path(sys.executable).with_name("kubectl")

USERS = {"admin": "admins", "ada": "developers-land", "bob": "developers-land", "eve": "auditors"}
"""The users of this installation, and the group of each."""


@dataclass(frozen=True)
class Platform:
    """The running installation."""

    file: Path
    environment: dict[str, str]
    description: dict[str, Any]

    @property
    def port(self) -> int:
        return self.description["where"]["https_port"]

    def url(self, component: str) -> str:
        return f"https://{component}.{self.description['domain']}:{self.port}"

    @property
    def state(self) -> Path:
        return Path(self.environment["XDG_DATA_HOME"]) / "swath" / "clusters" / self.description["name"]

    def swath(self, *words: str, timeout: float = 3600) -> subprocess.CompletedProcess[str]:
        """Run a verb on this installation and return how it ended."""
        return subprocess.run(
            [SWATH, *words, "--file", self.file],
            env=self.environment,
            check=False,
            capture_output=True,
            text=True,
            timeout=timeout,
        )

    def plan(self, *words: str) -> list[dict[str, Any]]:
        """Return the changes of a plan, whose exit status has to agree."""
        done = self.swath("plan", "--json", *words)
        assert done.returncode in {0, 3}, done.stderr
        changes = json.loads(done.stdout)["changes"]
        assert done.returncode == (3 if changes else 0)
        return changes

    def kubectl(self, *words: str, given: str | None = None, check: bool = True) -> str:
        """Run kubectl as the cluster's administrator and return what it prints."""
        done = subprocess.run(
            [KUBECTL, "--kubeconfig", self.state / "kubeconfig", *words],
            check=False,
            capture_output=True,
            text=True,
            input=given,
            timeout=300,
        )
        if check:
            assert done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout if check else done.stdout + done.stderr

    def secret(self, component: str, name: str, key: str) -> str:
        """Return a value of a Secret in a component's namespace."""
        template = f'go-template={{{{index .data "{key}" | base64decode}}}}'
        return self.kubectl("-n", f"{self.description['name']}-{component}", "get", "secret", name, "-o", template)

    def password(self, user: str) -> str:
        return self.secret("keycloak", "initial-passwords", user)


def free_port() -> int:
    """Return a port that nobody listens on, in the range that the embedded cluster takes."""
    for port in range(20000, 30000):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """Bring an installation up, and remove it with its data at the end."""
    folder = tmp_path_factory.mktemp("platform")
    description = {
        "version": 1,
        "name": "trial",
        "domain": "trial.localhost",
        "where": {"kind": "embedded", "https_port": free_port()},
        "components": {"hub": {"user_storage": "1Gi"}},
        "identity": {
            "temporary_passwords": False,  # a browser would have to choose new ones
            "users": [
                {
                    "username": user,
                    "email": f"{user}@example.org",
                    "first_name": user.capitalize(),
                    "last_name": "Example",
                    "groups": [group],
                }
                for user, group in USERS.items()
            ],
        },
    }
    file = folder / "swath.yaml"
    file.write_text(yaml.safe_dump(description))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
    environment["XDG_DATA_HOME"] = str(folder / "data")
    if home := environment.pop("SWATH_HOME", None):
        environment["XDG_CACHE_HOME"] = f"{home}/cache"
    running = Platform(file, environment, description)
    try:
        done = running.swath("up")
        sys.stdout.write(done.stdout)
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
        yield running
    finally:
        gone = running.swath("down", "--data", "--yes")
    assert gone.returncode == 0, gone.stderr
