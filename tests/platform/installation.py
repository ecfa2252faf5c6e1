"""An installation that is running, as the tests speak to it."""

import http.client
import json
import os
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

SWATH = Path(sys.executable).with_name("swath")
KUBECTL = Path(sys.executable).with_name("kubectl")

USERS = {
    "admin": "admins",
    "mia": "maintainers-land",
    "ada": "developers-land",
    "bob": "developers-land",
    "sam": "scientists",
    "eve": "auditors",
}
"""The users of this installation, and the group of each."""

GROUPS = {
    "admins": {"role": "platform-admin"},
    "maintainers-land": {"role": "maintainer"},
    "developers-land": {"role": "developer"},
    "scientists": {"role": "reader"},
    "auditors": {"role": "reader", "workspace": False},
}
"""The groups of this installation, and the role of each."""


def identity_of(groups: Mapping[str, Any], users: Mapping[str, str]) -> dict[str, Any]:
    """Return groups, and users by the one group of each, as ``swath.yaml`` has them."""
    return {
        "temporary_passwords": False,  # a browser would have to choose new ones
        "groups": dict(groups),
        "users": [
            {
                "username": user,
                "email": f"{user}@example.org",
                "first_name": user.capitalize(),
                "last_name": "Example",
                "groups": [group],
            }
            for user, group in users.items()
        ],
    }


def environment_in(folder: Path) -> dict[str, str]:
    """Return the environment of an installation whose state is in a folder; the machine's caches are used."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV_")}
    environment["XDG_DATA_HOME"] = str(folder / "data")
    if home := environment.pop("SWATH_HOME", None):
        environment["XDG_CACHE_HOME"] = f"{home}/cache"
    return environment


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
        return self.kubectl(
            "-n", f"{self.description['name']}-{component}", "get", "secret", name, "-o", template
        )

    def password(self, user: str) -> str:
        return self.secret("keycloak", "initial-passwords", user)

    @property
    def name(self) -> str:
        return self.description["name"]

    @property
    def pictures(self) -> Path:
        """Folder for pictures of what a user sees."""
        folder = self.file.parent / "pictures"
        folder.mkdir(exist_ok=True)
        return folder

    def ask(
        self,
        method: str,
        component: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        *,
        through: int | None = None,
    ) -> tuple[int, str]:
        """Ask an address as a program does, and return status and text of the answer.

        ``through`` is a port of this machine to connect to in the place of the address's own.
        """
        host = f"{component}.{self.description['domain']}"
        trusting = ssl.create_default_context(cafile=str(self.state / "trust" / "ca.crt"))
        plain = socket.create_connection(("127.0.0.1", through or self.port), timeout=60)
        connection = http.client.HTTPSConnection(host, self.port, context=trusting)
        connection.sock = trusting.wrap_socket(plain, server_hostname=host)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def in_workspace(self, user: str, *words: str, check: bool = True) -> str:
        """Run a command in a user's workspace and return what it prints."""
        place = ("-n", f"{self.name}-hub", "exec", f"workspace-{user}")
        return self.kubectl(*place, "--", *words, check=check)

    @staticmethod
    def eventually(look: Callable[[], T], good: Callable[[T], bool], patience: float = 180) -> T:
        """Return what is seen once it is good; what cannot be looked at yet may come."""
        end = time.monotonic() + patience
        while True:
            try:
                seen = look()
                if good(seen):
                    return seen
                told: object = seen
            except (AssertionError, OSError) as error:
                told = error
            assert time.monotonic() < end, f"still {told!r} after {patience:.0f} s"
            time.sleep(1)
