"""A real browser that trusts nothing but the installation's own authority."""

import base64
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

FLAGS = [
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def fingerprint(certificate: Path) -> str:
    """Return what Chromium knows an authority's key by."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    content = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


@contextmanager
def browser(folder: Path, authority: Path) -> Iterator[BrowserContext]:
    """Open a browser with a new profile in a folder."""
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            folder / "profile",
            executable_path="/usr/bin/chromium",
            args=[*FLAGS, f"--ignore-certificate-errors-spki-list={fingerprint(authority)}"],
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


__all__ = ["browser", "expect", "log_in"]
