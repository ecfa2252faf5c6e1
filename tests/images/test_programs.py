"""Each image's program starts and does its work, as far as that needs no cluster."""

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from socket import create_connection
from typing import Any

import pytest
from playwright.sync_api import expect, sync_playwright
from swath_developer.scaffolding import scaffold

Start = Callable[[str], Any]
"""Makes a container of an image: `Container` of this folder's conftest."""


def wait_for(ready: Callable[[], bool], log: Path, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < end, log.read_text()
        time.sleep(0.2)


def answers(port: int) -> bool:
    try:
        create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def owned(folder: Path) -> Path:
    """Make a folder that belongs to the user of the images."""
    folder.mkdir(parents=True)
    subprocess.run(["chown", "-R", "1000:1000", folder], check=True)
    return folder


def test_haproxy_takes_a_configuration_and_refuses_a_wrong_one(container: Start, tmp_path: Path) -> None:
    haproxy = container("haproxy")
    good = tmp_path / "etc" / "haproxy.cfg"
    good.parent.mkdir()
    good.write_text(
        "defaults\n  mode http\n  timeout client 1s\nfrontend f\n  bind 127.0.0.1:8404\n  timeout client 1s\n"
    )
    volumes = [f"{good.parent}:/etc/swath:ro"]
    haproxy.run("haproxy", "-c", "-f", "/etc/swath/haproxy.cfg", volumes=volumes)
    good.write_text("frontend\n")
    with pytest.raises(AssertionError, match="frontend"):
        haproxy.run("haproxy", "-c", "-f", "/etc/swath/haproxy.cfg", volumes=volumes)


@pytest.mark.parametrize(
    ("name", "command", "expected"),
    [
        ("keycloak", ["kc.sh", "--version"], "Keycloak 26.7.3"),
        ("hub", ["jupyterhub", "--version"], "6.1.1"),
        ("hub", ["python", "-c", "import kubespawner, oauthenticator, psycopg; print('ok')"], "ok"),
        ("hub", ["jupyterhub-idle-culler", "--help"], "--timeout"),
        ("proxy", ["configurable-http-proxy", "--version"], "5.3.0"),
        ("builder", ["buildah", "--version"], "buildah version"),
        ("buildkit", ["buildkitd", "--version"], "github.com/moby/buildkit"),
        ("buildkit", ["getcap", "/usr/bin/newuidmap"], "cap_setuid=ep"),
        ("code-server", ["/opt/code-server/bin/code-server", "--version"], "4.139.1"),
        ("workspace", ["swath", "run", "--help"], "Usage: swath run"),
        ("workspace", ["jupyterhub-singleuser", "--version"], "6.1.1"),
        ("workspace", ["git", "--version"], "git version"),
    ],
)
def test_the_program_says_its_version(container: Start, name: str, command: list[str], expected: str) -> None:
    assert expected in container(name).run(*command)


def test_postgresql_makes_roles_and_keeps_data_and_takes_new_passwords(
    container: Start, free_port: Callable[[], int], tmp_path: Path
) -> None:
    server = container("postgresql")
    data, secrets = owned(tmp_path / "data"), tmp_path / "secrets"
    secrets.mkdir()
    passwords = {"postgres": "first", "hub": 'it\'s "quoted"', "keycloak": "other"}
    for role, password in passwords.items():
        (secrets / f"{role}-password").write_text(password)
    subprocess.run(["chown", "-R", "1000:1000", secrets], check=True)
    volumes = [f"{data}:/var/lib/postgresql/data", f"{secrets}:/run/secrets/postgresql:ro"]
    port, log = free_port(), tmp_path / "log"
    client = container("postgresql")

    def sql(role: str, database: str, statement: str, password: str) -> str:
        address = f"host=127.0.0.1 port={port} user={role} dbname={database}"
        return client.run("env", f"PGPASSWORD={password}", "psql", "-Atc", statement, address)

    start = ["/usr/libexec/swath/start", "-c", f"port={port}"]
    with server.started(*start, volumes=volumes, log=log):
        wait_for(lambda: answers(port), log)
        sql("hub", "hub", "create table t as select 42 as x", passwords["hub"])
        with pytest.raises(AssertionError, match="password authentication failed"):
            sql("hub", "hub", "select 1", "wrong")
        with pytest.raises(AssertionError, match="permission denied for database"):
            sql("hub", "keycloak", "select 1", passwords["hub"])
    (secrets / "hub-password").write_text("second")
    with server.started(*start, volumes=volumes, log=log):
        wait_for(lambda: answers(port), log)
        assert sql("hub", "hub", "select x from t", "second").strip() == "42"
        with pytest.raises(AssertionError, match="password authentication failed"):
            sql("hub", "hub", "select 1", passwords["hub"])
    assert "second" not in log.read_text()


def test_postgresql_refuses_to_start_without_its_secret(container: Start, tmp_path: Path) -> None:
    volumes = [f"{owned(tmp_path / 'data')}:/var/lib/postgresql/data"]
    with pytest.raises(AssertionError, match="postgres-password is missing or empty: mount the secret"):
        container("postgresql").run("/usr/libexec/swath/start", volumes=volumes)
    assert list((tmp_path / "data").iterdir()) == []


def test_the_editor_answers_on_its_socket_and_on_no_port(container: Start, tmp_path: Path) -> None:
    workspace = container("workspace")
    home, log = owned(tmp_path / "home"), tmp_path / "log"
    volumes = [f"{home}:/home/swath"]
    command = ["code-server", "--socket", "/home/swath/editor.sock", "--socket-mode", "0600"]
    with workspace.started(*command, volumes=volumes, log=log) as server:
        address = home / "editor.sock"
        wait_for(address.exists, log)
        ask = ["curl", "--silent", "--fail", "--unix-socket", str(address), "http://editor/healthz"]
        wait_for(lambda: subprocess.run(ask, capture_output=True, check=False).returncode == 0, log)
        assert address.stat().st_mode & 0o777 == 0o600
        listening = subprocess.run(["ss", "-Hltnp"], capture_output=True, text=True, check=True).stdout
        ours = subprocess.run(
            ["pgrep", "-g", str(server.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        assert ours
        assert not [line for line in listening.splitlines() for pid in ours if f"pid={pid}," in line]


def test_jupyterlab_leads_to_the_editor_and_only_with_its_token(
    container: Start, free_port: Callable[[], int], tmp_path: Path
) -> None:
    home, log, port = owned(tmp_path / "home"), tmp_path / "log", free_port()
    command = ["/usr/libexec/swath/start", "jupyter", "lab", "--no-browser", f"--port={port}"]
    command += ["--ServerApp.token=known", "--ServerApp.port_retries=0"]
    ask = [
        "curl",
        "--silent",
        "--location",
        "--max-time",
        "60",
        "--output",
        "-",
        "--write-out",
        "%{http_code}",
    ]
    address = f"http://127.0.0.1:{port}/vscode/"
    with container("workspace").started(*command, volumes=[f"{home}:/home/swath"], log=log):
        wait_for(lambda: answers(port), log)
        told = subprocess.run(
            [*ask, "--header", "Authorization: token known", address],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert told.endswith("200"), log.read_text()
        assert "vscode-workbench-web-configuration" in told
        refused = subprocess.run([*ask, address], capture_output=True, text=True, check=True).stdout
        assert "vscode-workbench-web-configuration" not in refused


def test_the_editor_opens_calm_and_its_terminal_and_search_work(
    container: Start, chromium: str, free_port: Callable[[], int], tmp_path: Path
) -> None:
    home, log, port = owned(tmp_path / "home"), tmp_path / "log", free_port()
    (home / "notes.txt").write_text("a needle in a haystack\n")
    command = ["/usr/libexec/swath/start", "jupyter", "lab", "--no-browser", f"--port={port}"]
    command += ["--ServerApp.token=known", "--ServerApp.port_retries=0"]
    with (
        container("workspace").started(*command, volumes=[f"{home}:/home/swath"], log=log),
        sync_playwright() as playwright,
    ):
        wait_for(lambda: answers(port), log)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"http://127.0.0.1:{port}/api/status?token=known")
        page.goto(f"http://127.0.0.1:{port}/vscode/")
        page.get_by_role("treeitem", name="notes.txt").wait_for()
        page.keyboard.press("Control+Backquote")
        terminal = page.locator(".xterm-helper-textarea")
        terminal.wait_for(state="attached")
        terminal.press_sequentially("command -v python > ~/.told && mv ~/.told ~/told.txt\n")
        wait_for((home / "told.txt").exists, log)
        assert (home / "told.txt").read_text() == "/opt/swath/bin/python\n"
        # By now all parts have had the time to come up by themselves.
        expect(page.locator(".part.auxiliarybar")).to_be_hidden()
        expect(page.locator(".part.editor .tab")).to_have_count(0)
        expect(page.locator(".monaco-dialog-box, .notification-toast")).to_have_count(0)
        expect(page.get_by_text("Chat", exact=True)).to_have_count(0)
        page.keyboard.press("Control+Shift+F")
        page.keyboard.type("needle")
        page.keyboard.press("Enter")
        expect(page.locator(".search-view .messages")).to_contain_text("1 result in 1 file", timeout=60_000)
        page.screenshot(path=tmp_path / "editor.png")
        browser.close()


def test_settings_of_the_editor_are_given_once_and_stay_the_users(container: Start, tmp_path: Path) -> None:
    home = owned(tmp_path / "home")
    workspace = container("workspace")
    start = ["/usr/libexec/swath/start", "true"]
    workspace.run(*start, volumes=[f"{home}:/home/swath"])
    settings = home / ".local/share/code-server/User/settings.json"
    assert json.loads(settings.read_text())["telemetry.telemetryLevel"] == "off"
    settings.write_text("{}")
    workspace.run(*start, volumes=[f"{home}:/home/swath"])
    assert settings.read_text() == "{}"


def test_a_scaffolded_repository_waits_in_the_home_and_its_tests_pass(
    container: Start, tmp_path: Path
) -> None:
    repository = tmp_path / "my-processor"
    scaffold(repository, kind="processor", answers={})
    welcome, home = tmp_path / "welcome", owned(tmp_path / "home")
    welcome.mkdir()
    bundle = ["git", "bundle", "create", "--quiet", welcome / "my-processor.bundle", "--all", "HEAD"]
    subprocess.run(bundle, cwd=repository, check=True, capture_output=True)
    volumes = [f"{home}:/home/swath", f"{welcome}:/etc/swath/welcome:ro"]
    workspace = container("workspace")
    told = workspace.run("/usr/libexec/swath/start", "sh", "-c", "cd my-processor && pytest", volumes=volumes)
    assert " passed" in told
    listed = workspace.run("/usr/libexec/swath/start", "swath", "run", "--list", volumes=volumes)
    assert "my-processor" in listed
