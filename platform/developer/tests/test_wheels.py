"""Wheels of Swath's own packages: built once for a state of the sources."""

from pathlib import Path

from swath_developer.wheels import wheel_folder


def test_builds_the_command_the_core_and_the_processors_once(tmp_path, monkeypatch):
    monkeypatch.delenv("SWATH_WHEELS", raising=False)
    monkeypatch.setenv("SWATH_HOME", str(tmp_path))
    folder = Path(wheel_folder())
    names = sorted(path.name.partition("-")[0] for path in folder.iterdir())
    assert names == ["swath", "swath_cli", "swath_sentinel2"]
    made = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert Path(wheel_folder()) == folder
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == made
    assert folder.is_relative_to(tmp_path / "cache")
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_takes_the_place_that_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("SWATH_WHEELS", str(tmp_path))
    assert wheel_folder() == str(tmp_path)
    monkeypatch.setenv("SWATH_WHEELS", "https://gitlab.invalid/simple")
    assert wheel_folder() == "https://gitlab.invalid/simple"
