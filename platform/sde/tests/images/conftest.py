"""A small checkout with images of its own, and a state folder that nobody else uses."""

from pathlib import Path

import pytest
import yaml


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home of state and caches for one test."""
    monkeypatch.setenv("SWATH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def small(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a checkout whose images are `base`, and `tool` on it with a lock."""
    root = tmp_path / "checkout"
    (root / "ci" / "templates").mkdir(parents=True)
    (root / "copier.yml").touch()
    (root / "requirements").mkdir()
    (root / "requirements" / "uv.txt").write_text("uv==1 --hash=sha256:00\n")
    for name in ("base", "tool"):
        folder = root / "platform" / "images" / name
        folder.mkdir(parents=True)
        (folder / "Dockerfile").write_text("FROM scratch\n")
    (folder / "requirements.txt").write_text("click==8 --hash=sha256:01\n")
    (folder / "start").write_text("#!/bin/sh\n")
    entries = {
        "tool": {"title": "a tool", "parents": {"BASE": "base"}},
        "base": {"title": "the base", "rootfs": "trixie"},
    }
    (root / "platform" / "images" / "catalogue.yaml").write_text(yaml.safe_dump(entries, sort_keys=False))
    monkeypatch.setenv("SWATH_CHECKOUT", str(root))
    return root
