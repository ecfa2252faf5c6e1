"""The systemd unit as a file; ``tests/cluster/test_systemd.py`` runs it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from swath_sde.cluster._settings import Settings
from swath_sde.cluster._unit import Unit

if TYPE_CHECKING:
    from pathlib import Path


def test_words_are_quoted_as_systemd_reads_them_back() -> None:
    settings = Settings.of(
        {"name": "one", "state": "/srv/my data/50%", "programs": "/p", "python": "/opt/a $b/python"}
    )
    text = Unit(settings).text()
    assert '"/opt/a $$b/python" -m supervisor.supervisord --nodaemon' in text
    assert '-c "/srv/my data/50%%/supervisor.conf"' in text
    assert 'RequiresMountsFor="/srv/my data/50%%" /p' in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed here")
def test_systemd_finds_nothing_to_complain_of(tmp_path: Path) -> None:
    state = tmp_path / "my data"
    state.mkdir()
    unit = Unit(
        Settings.of({"name": "one", "state": str(state), "programs": "/tmp", "python": "/usr/bin/env"})
    )
    file = tmp_path / unit.name
    file.write_text(unit.text())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", file], capture_output=True, text=True, check=False
    )
    assert unit.name not in done.stderr
    file.write_text(unit.text().replace("KillMode=mixed", "KillMode=gently"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", file], capture_output=True, text=True, check=False
    )
    assert "gently" in done.stderr
