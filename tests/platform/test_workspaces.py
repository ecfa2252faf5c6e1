"""What a developer and a scientist do in a browser, and what others may not."""

import json
import re
from pathlib import Path

import pytest
from browsing import log_in, open_terminal, start_workspace
from installation import Platform
from playwright.sync_api import BrowserContext, expect

NOTEBOOK = Path(__file__).parents[2] / "docs" / "how-to" / "notebook-window.ipynb"
"""The example that the web site offers to download."""


def test_a_developer_runs_the_tests_of_the_scaffolded_repository_in_the_editor(
    platform: Platform, session: BrowserContext
) -> None:
    page = session.new_page()
    log_in(page, platform.url("hub"), "ada", platform.password("ada"))
    start_workspace(page, "code-server")
    page.get_by_role("treeitem", name="my-processor").click()
    expect(page.get_by_role("treeitem", name="pyproject.toml")).to_be_visible()
    terminal = open_terminal(page)
    terminal.press_sequentially(
        "cd ~/my-processor && python -m pytest | tee ../told.txt; echo ${PIPESTATUS[0]} > ../status.txt\n"
    )
    # What a terminal paints is a canvas; what it did is in the home.
    told = platform.eventually(
        lambda: platform.in_workspace("ada", "cat", "/home/swath/status.txt", "/home/swath/told.txt"),
        lambda text: "passed" in text,
    )
    assert told.startswith("0\n")
    assert re.search(r"\d+ passed", told)
    page.screenshot(path=platform.pictures / "code-server.png")


def test_a_notebook_of_the_core_runs_in_jupyterlab(platform: Platform, session: BrowserContext) -> None:
    page = session.new_page()
    log_in(page, platform.url("hub"), "bob", platform.password("bob"))
    start_workspace(page, "JupyterLab")
    page.locator("#jp-main-dock-panel").wait_for()
    page.get_by_text("Notebook", exact=True).first.wait_for()  # the launcher is there
    expect(page.get_by_text("Would you like to get notified about official Jupyter news?")).to_have_count(0)
    expect(page.locator(".Toastify__toast")).to_have_count(0)
    with page.expect_file_chooser() as chooser:
        page.get_by_title("Upload Files").first.click()
    chooser.value.set_files(NOTEBOOK)
    page.locator(".jp-DirListing-item").filter(has_text=NOTEBOOK.name).dblclick()
    page.locator(".jp-NotebookPanel").get_by_text("Python 3 (ipykernel)").first.wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_text("Run All Cells", exact=True).click()
    cells = page.locator(".jp-NotebookPanel .jp-CodeCell")
    expect(cells.last.locator("img")).to_be_visible(timeout=180_000)  # the quick look of what was made
    expect(page.locator('[data-mime-type="application/vnd.jupyter.error"]')).to_have_count(0)
    page.screenshot(path=platform.pictures / "jupyterlab.png")


def test_a_user_whose_group_has_no_workspace_is_refused(platform: Platform, session: BrowserContext) -> None:
    page = session.new_page()
    log_in(page, platform.url("hub"), "eve", platform.password("eve"))
    expect(page.locator("body")).to_contain_text(re.compile("403|not allowed|Forbidden|not authorized", re.I))
    page.screenshot(path=platform.pictures / "refused.png")


def test_nobody_gets_in_without_a_log_in(platform: Platform, session: BrowserContext) -> None:
    for path in ("/user/ada/lab", "/user/ada/vscode/"):
        page = session.new_page()
        page.goto(platform.url("hub") + path)
        page.wait_for_url(f"{platform.url('keycloak')}/**")
    for path in ("/user/ada/api/contents", "/hub/api/users", "/user/ada/vscode/"):
        status, _ = platform.ask("GET", "hub", path)
        assert status in {302, 403}, path


def test_a_forged_cookie_opens_nothing(platform: Platform) -> None:
    forged = "2|1:0|10:1700000000|1:x|forged|0"
    names = ("jupyterhub-session-id", "jupyterhub-hub-login", "jupyterhub-user-ada", "_xsrf")
    cookies = {"Cookie": "; ".join(f'{name}="{forged}"' for name in names)}
    for path in ("/hub/api/user", "/user/ada/api/contents", "/user/ada/vscode/"):
        status, told = platform.ask("GET", "hub", path, cookies)
        assert status in {302, 403}, (path, status)
        assert "my-processor" not in told


@pytest.mark.parametrize("token", ["forged", "0" * 32, "eyJhbGciOiJub25lIn0.eyJuYW1lIjoiYWRhIn0."])
def test_a_forged_token_opens_nothing(platform: Platform, token: str) -> None:
    for path in ("/hub/api/users", "/user/ada/api/contents", "/user/ada/vscode/"):
        status, told = platform.ask("GET", "hub", path, {"Authorization": f"token {token}"})
        assert status in {302, 403}, (path, status)
        assert "my-processor" not in told


def test_a_user_reaches_neither_server_nor_token_nor_volume_of_another(
    platform: Platform, session: BrowserContext
) -> None:
    hub = platform.url("hub")
    page = session.new_page()
    log_in(page, hub, "bob", platform.password("bob"))
    page.wait_for_url(f"{hub}/**")
    page.goto(f"{hub}/user/ada/lab")
    expect(page.locator("body")).to_contain_text(re.compile("403|404|not allowed|permission", re.IGNORECASE))
    cookies = {"Cookie": "; ".join(f"{one['name']}={one['value']}" for one in session.cookies())}
    status, told = platform.ask("GET", "hub", "/hub/home", cookies)
    assert (status, "bob" in told) == (200, True)  # so these cookies are good
    for method, path in (
        ("GET", "/user/ada/api/contents"),
        ("GET", "/user/ada/vscode/"),
        ("GET", "/hub/api/users/ada"),
        ("GET", "/hub/api/users/ada/tokens"),
        ("POST", "/hub/api/users/ada/tokens"),
        ("DELETE", "/hub/api/users/ada/server"),
    ):
        status, told = platform.ask(method, "hub", path, cookies)
        assert status in {302, 403, 404}, (method, path, status)
        assert "my-processor" not in told
    pods = json.loads(platform.kubectl("-n", f"{platform.name}-hub", "get", "pods", "-o", "json"))["items"]
    claims = {
        pod["metadata"]["name"]: [
            volume["persistentVolumeClaim"]["claimName"]
            for volume in pod["spec"]["volumes"]
            if "persistentVolumeClaim" in volume
        ]
        for pod in pods
        if pod["metadata"]["name"].startswith("workspace-")
    }
    assert claims == {"workspace-ada": ["claim-ada"], "workspace-bob": ["claim-bob"]}


def test_a_workspace_holds_no_token_of_the_cluster(platform: Platform) -> None:
    told = platform.in_workspace("ada", "ls", "/var/run/secrets", check=False)
    assert "kubernetes.io" not in told
    told = platform.in_workspace(
        "ada",
        "python",
        "-c",
        f"import socket; socket.create_connection(('postgresql.{platform.name}-postgresql', 5432), 5)",
        check=False,
    )
    assert "Error" in told
