"""Programs of Go modules: compiled by the machine's Go, exactly as the module says, and kept."""

import re
from pathlib import Path

import pytest
from swath_sde import golang
from swath_sde.images import BuildError, MissingProgramError, catalogue
from swath_sde.images._go import go_programs


@pytest.fixture
def module(tmp_path: Path) -> Path:
    folder = tmp_path / "tool"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.org/tool\n\ngo 1.24\n\ntool cmd/gofmt\n")
    (folder / "go.sum").touch()
    return folder


def test_tools_of_a_module_are_compiled_once(module: Path, tmp_path: Path) -> None:
    assert go_programs(module, tmp_path / "programs", log=tmp_path / "log") > 0
    assert [path.name for path in (tmp_path / "programs").iterdir()] == ["gofmt"]
    assert go_programs(module, tmp_path / "programs", log=tmp_path / "other") == 0
    assert not (tmp_path / "other").exists()


def test_refuses_without_go_and_says_which_to_install(
    module: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(golang, "_FOLDERS", str(tmp_path))
    with pytest.raises(MissingProgramError, match=r"compiled with it\. Install Go 1\.24 or newer"):
        go_programs(module, tmp_path / "programs", log=tmp_path / "log")


def test_a_go_that_is_too_old_is_told_and_nothing_is_kept(module: Path, tmp_path: Path) -> None:
    file = module / "go.mod"
    file.write_text(file.read_text().replace("go 1.24", "go 1.999"))
    with pytest.raises(BuildError, match=r"(?s)Go programs of tool failed.*requires go >= 1\.999"):
        go_programs(module, tmp_path / "programs", log=tmp_path / "log")
    assert not (tmp_path / "programs").exists()


def test_every_module_of_buildkit_has_a_checksum_and_is_replaced_by_none() -> None:
    folder = catalogue()["buildkit"].folder
    text = (folder / "go.mod").read_text()
    assert "replace" not in text
    required = re.findall(r"^\t(\S+) (v\S+)(?: // indirect)?$", text[: text.index("exclude (")], re.MULTILINE)
    assert ("github.com/moby/buildkit", "v0.34.2") in required
    summed = (folder / "go.sum").read_text()
    for name, version in required:
        assert re.search(rf"^{re.escape(name)} {re.escape(version)}(/go\.mod)? h1:", summed, re.MULTILINE), (
            name
        )
