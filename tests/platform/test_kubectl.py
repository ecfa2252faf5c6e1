"""The table of rights, asked by people: each logs in with kubectl, by the single sign-on, in a browser."""

import csv
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browsing import browser
from installation import GROUPS, KUBECTL, SWATH, USERS, Platform
from playwright.sync_api import expect

TABLE = Path(__file__).parents[1] / "identity" / "kubernetes_access.csv"
ROWS = list(csv.DictReader(TABLE.read_text().splitlines()))

PERSONS = {group: user for user, group in reversed(USERS.items())}
"""One user of each group."""


@dataclass(frozen=True)
class Person:
    """A user with a kubeconfig, on a machine where nobody else is."""

    name: str
    platform: Platform
    home: Path

    @property
    def command(self) -> list[str]:
        return [str(KUBECTL), "--kubeconfig", str(self.home / "kubeconfig")]

    @property
    def environment(self) -> dict[str, str]:
        # The browser is opened by the test, at the address that the plug-in shows.
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "BROWSER": "true"}

    @property
    def kept(self) -> Path:
        return self.home / ".kube" / "cache" / "swath" / f"{self.platform.name}.json"

    def kubectl(self, *words: str, given: object = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl as this user, who is logged in: nobody would answer a question."""
        return subprocess.run(
            [*self.command, *words],
            env=self.environment,
            input=json.dumps(given) if given else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def log_in(self, chromium: str) -> str:
        """Ask who one is, log in where the plug-in says, and return what kubectl then tells."""
        asking = subprocess.Popen(
            [*self.command, "auth", "whoami"],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert asking.stderr is not None
        with closing(asking.stderr):
            line = next(line for line in asking.stderr if line.startswith("Log in at: "))
            authority = self.platform.state / "trust" / "ca.crt"
            with browser(self.home / "browser", authority, chromium) as context:
                page = context.new_page()
                page.goto(line.removeprefix("Log in at: ").strip())
                page.locator("#username").fill(self.name)
                page.locator("#password").fill(self.platform.password(self.name))
                page.locator("#kc-login").click()
                expect(page.locator("body")).to_contain_text("Logged in. Go back to the terminal.")
            assert asking.stdout is not None
            with closing(asking.stdout):
                told = asking.stdout.read()
            assert asking.wait(60) == 0
        return told


@pytest.fixture(scope="module")
def persons(platform: Platform, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Person]:
    """Log a user of each group in, and give them by group."""
    made = subprocess.run(
        [SWATH, "config", "kubectl", platform.file],
        env=platform.environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert not re.search(
        "client-key|client-certificate|token:|password", made
    )  # the same file is for everybody
    found = {}
    for group, name in PERSONS.items():
        person = Person(name, platform, tmp_path_factory.mktemp(name))
        (person.home / "kubeconfig").write_text(made)
        (person.home / "browser").mkdir()
        told = person.log_in(chromium)
        assert f"oidc:{name}" in told
        assert f"oidc:{group}" in told
        found[group] = person
    return found


def reviews(platform: Platform) -> dict[str, Any]:
    """Return the questions of the table as kubectl asks them for `auth can-i`, all at once."""
    items = []
    for row in ROWS:
        kind, _, sub = row["resource"].partition("/")
        resource, _, api_group = kind.partition(".")
        attributes = {
            "verb": row["verb"],
            "resource": resource,
            "group": api_group,
            "subresource": sub,
            "namespace": row["namespace"].replace("tests-", f"{platform.name}-"),
        }
        items.append(
            {
                "apiVersion": "authorization.k8s.io/v1",
                "kind": "SelfSubjectAccessReview",
                "spec": {"resourceAttributes": attributes},
            }
        )
    return {"apiVersion": "v1", "kind": "List", "items": items}


def documents(text: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON documents that stand one after another in a text, as kubectl prints what it has made."""
    while text := text.lstrip():
        one, end = json.JSONDecoder().raw_decode(text)
        yield one
        text = text[end:]


def test_there_is_a_person_of_every_group_of_the_table() -> None:
    assert set(PERSONS) == set(GROUPS) == set(list(ROWS[0])[3:])


@pytest.mark.parametrize("group", PERSONS)
def test_each_person_may_what_the_table_says(
    platform: Platform, persons: dict[str, Person], group: str
) -> None:
    done = persons[group].kubectl("create", "--filename", "-", "--output=json", given=reviews(platform))
    assert done.returncode == 0, done.stderr
    answers = [item["status"]["allowed"] for item in documents(done.stdout)]
    assert len(answers) == len(ROWS)
    wrong = [
        (row["verb"], row["resource"], row["namespace"], answer)
        for row, answer in zip(ROWS, answers, strict=True)
        if answer != (row[group] == "yes")
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("group", "words", "answer"),
    [
        ("admins", ["delete", "nodes"], "yes"),
        ("maintainers-land", ["create", "pods/exec", "--namespace=trial-maintainers-land"], "yes"),
        ("maintainers-land", ["create", "pods/exec", "--namespace=trial-hub"], "no"),
        ("developers-land", ["list", "pods", "--namespace=trial-hub"], "yes"),
        ("developers-land", ["get", "secrets", "--namespace=trial-hub"], "no"),
        ("scientists", ["list", "pods", "--namespace=trial-hub"], "no"),
        ("auditors", ["list", "namespaces"], "no"),
    ],
)
def test_can_i_answers_the_same(
    persons: dict[str, Person], group: str, words: list[str], answer: str
) -> None:
    done = persons[group].kubectl("auth", "can-i", *words)
    assert done.stdout.strip().splitlines()[-1] == answer, done.stderr
    assert done.returncode == (0 if answer == "yes" else 1)


def test_what_is_allowed_is_given_and_what_is_not_is_refused(persons: dict[str, Person]) -> None:
    developer = persons["developers-land"]
    assert "hub-" in developer.kubectl("--namespace=trial-hub", "get", "pods").stdout
    refused = developer.kubectl("--namespace=trial-hub", "get", "secrets")
    assert refused.returncode == 1
    assert "Forbidden" in refused.stderr
    assert "ingress-tls" in persons["admins"].kubectl("--namespace=trial-ingress", "get", "secrets").stdout


GOOD: dict[str, Any] = {
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 1000,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "containers": [
        {
            "name": "one",
            "image": "registry.invalid/one:1",
            "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        }
    ],
}
"""A pod that meets the restricted standard."""


def pod(name: str, **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {**GOOD, **spec}}


def container(**security: Any) -> list[dict[str, Any]]:
    (one,) = GOOD["containers"]
    return [{**one, "securityContext": {**one["securityContext"], **security}}]


MAKERS = [("admins", "trial-hub"), ("maintainers-land", "trial-maintainers-land")]
"""Who may make pods, and where."""


@pytest.mark.parametrize(("group", "namespace"), MAKERS)
def test_a_pod_that_meets_the_standard_is_taken(
    persons: dict[str, Person], group: str, namespace: str
) -> None:
    words = ["--namespace", namespace, "create", "--dry-run=server", "--filename", "-"]
    assert persons[group].kubectl(*words, given=pod("good")).returncode == 0


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"containers": container(privileged=True, allowPrivilegeEscalation=True)}, "privileged"),
        ({"containers": container(allowPrivilegeEscalation=True)}, "allowPrivilegeEscalation != false"),
        ({"containers": container(capabilities={"drop": []})}, "unrestricted capabilities"),
        ({"containers": container(runAsUser=0)}, "runAsUser=0"),
        ({"securityContext": {}}, "runAsNonRoot != true"),
        ({"hostNetwork": True}, "host namespaces"),
        ({"hostPID": True}, "host namespaces"),
        ({"volumes": [{"name": "root", "hostPath": {"path": "/"}}]}, "restricted volume types"),
    ],
)
@pytest.mark.parametrize(("group", "namespace"), MAKERS)
def test_a_pod_below_the_restricted_standard_is_refused_to_whoever_makes_it(
    persons: dict[str, Person], group: str, namespace: str, spec: dict[str, Any], told: str
) -> None:
    words = ["--namespace", namespace, "create", "--dry-run=server", "--filename", "-"]
    done = persons[group].kubectl(*words, given=pod("bad", **spec))
    assert done.returncode == 1
    assert 'violates PodSecurity "restricted' in done.stderr
    assert told in done.stderr


def test_a_forged_token_and_one_of_the_hub_are_refused(persons: dict[str, Person]) -> None:
    person = persons["admins"]
    token = json.loads(person.kept.read_text())["id_token"]
    head, body, signature = token.split(".")
    for forged in (f"{head}.{body}.{signature[:-8]}AAAAAAAA", f"{head}.{body}.", "nonsense"):
        # --token would come on top of the plug-in: a kubeconfig without it is taken.
        bare = json.loads(person.kubectl("config", "view", "--raw", "--output=json").stdout)
        bare["users"][0]["user"] = {"token": forged}
        (person.home / "forged").write_text(json.dumps(bare))
        done = subprocess.run(
            [KUBECTL, "--kubeconfig", person.home / "forged", "get", "nodes"],
            env=person.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert "logged in to the server" in done.stderr or "Unauthorized" in done.stderr, done.stderr


def test_access_that_is_taken_away_is_gone_with_the_session(
    platform: Platform, persons: dict[str, Person]
) -> None:
    """The file names another group: what the old token still says ends with it, and no new one is given."""
    person, before = persons["maintainers-land"], platform.file.read_text()
    try:
        description = json.loads(json.dumps(platform.description))
        (mia,) = [user for user in description["identity"]["users"] if user["username"] == person.name]
        mia["groups"] = ["scientists"]
        platform.file.write_text(json.dumps(description))
        done = platform.swath("apply", "--only", "realm")
        assert done.returncode == 0, done.stderr
        kept = json.loads(person.kept.read_text())
        person.kept.write_text(json.dumps({**kept, "id_token": "over"}))
        # The refresh token is refused, so one is asked to log in again; nobody does here.
        asking = subprocess.Popen(
            [*person.command, "get", "pods"],
            env=person.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert asking.stderr is not None
        with closing(asking.stderr):
            try:
                assert next(iter(asking.stderr)).startswith("Log in at: ")
            finally:
                os.killpg(asking.pid, signal.SIGKILL)
                asking.wait()
    finally:
        platform.file.write_text(before)
        assert platform.swath("apply", "--only", "realm").returncode == 0
    assert platform.plan() == []
