"""A real browser that trusts nothing but the installation's own authority."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from playwright.sync_api import BrowserContext, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as TooLate

# A page is there when it is there: on a machine that does much else that takes longer than five seconds.
expect.set_options(timeout=60_000)

FLAGS = [
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def trusting(folder: Path, authority: Path) -> dict[str, str]:
    """Return the environment of a browser whose user has imported an authority, in a home of its own."""
    store = folder / ".pki" / "nssdb"
    store.mkdir(parents=True)
    for words in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "swath", "-i", str(authority)]):
        subprocess.run(["certutil", "-d", f"sql:{store}", *words], check=True, capture_output=True)
    return {**os.environ, "HOME": str(folder)}


@contextmanager
def browser(folder: Path, authority: Path, program: str, *flags: str) -> Iterator[BrowserContext]:
    """Open a browser with a new profile in a folder."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path=program,
            args=[*FLAGS, *flags],
            env=trusting(folder, authority),
            viewport={"width": 1400, "height": 900},
        )
        context.set_default_timeout(120_000)
        try:
            yield context
        finally:
            context.close()


def log_in(page: Page, address: str, user: str, password: str) -> None:
    """Go to an address and log in where Keycloak asks for it."""
    page.goto(address)
    page.locator("#username").fill(user)
    page.locator("#password").fill(password)
    page.locator("#kc-login").click()


def start_workspace(page: Page, profile: str) -> None:
    """Choose a workspace on the hub's page, start it, and wait until it is there."""
    # The editor's page is never done loading, as it keeps connections open.
    page.wait_for_url(re.compile(r"/hub/spawn|/user/"), wait_until="commit")
    if "/hub/spawn" in page.url:  # else it runs already
        page.get_by_text(profile, exact=True).click()
        page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile(r"/user/[^/]+/"), wait_until="commit", timeout=600_000)


def open_terminal(page: Page) -> Locator:
    """Open the editor's terminal and return what takes its input; keys count once the editor is ready."""
    terminal = page.locator(".xterm-helper-textarea")
    for _ in range(6):
        page.keyboard.press("Control+Backquote")
        with suppress(TooLate):
            terminal.wait_for(state="attached", timeout=20_000)
            return terminal
    raise AssertionError("the editor has opened no terminal")
