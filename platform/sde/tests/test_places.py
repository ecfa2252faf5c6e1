"""Where an installation's state is."""

from pathlib import Path

import pytest
from swath_developer.errors import DeveloperError
from swath_sde.places import state_folder


def test_the_state_is_closed_to_others_and_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWATH_HOME", str(tmp_path))
    folder = state_folder("site")
    assert folder == tmp_path / "clusters" / "site"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert state_folder("site") == folder


def test_a_home_that_nothing_can_be_made_in_is_told_with_what_to_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SWATH_HOME", str(tmp_path / "file"))
    with pytest.raises(DeveloperError, match=r"clusters/site, cannot be made \(Not a directory\): set SWA"):
        state_folder("site")
