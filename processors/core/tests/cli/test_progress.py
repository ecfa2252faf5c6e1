"""Progress: a bar in a terminal, lines elsewhere."""

import io
import os
import sys
from contextlib import suppress

import pytest
from swath.cli import _progress
from swath_cli import main


def test_lines_elsewhere_not_more_often_than_is_good(capsys, monkeypatch):
    with _progress.progress() as tell:
        tell("chunks", 1, 9)
        monkeypatch.setattr(_progress, "SECONDS_BETWEEN_LINES", 0.0)
        tell("chunks", 2, 9)
        tell("quick look", 0, 0)
    assert capsys.readouterr().err.splitlines() == ["chunks: 2 of 9", "quick look …"]


def test_a_bar_in_a_terminal(monkeypatch):
    ours, theirs = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    told = b""
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        with _progress.progress() as tell:
            tell("GeoTIFFs", 3, 18)
    with suppress(OSError):  # the end of a terminal that nobody writes to any more
        while part := os.read(ours, 65536):
            told += part
    os.close(ours)
    assert b"GeoTIFFs" in told
    assert b"3/18" in told


def test_a_conversion_tells_its_chunks(samples, tmp_path, monkeypatch):
    monkeypatch.setattr(_progress, "SECONDS_BETWEEN_LINES", 0.0)
    monkeypatch.setattr(sys, "stderr", told := io.StringIO())
    product = next(samples.glob("s2/S2A_MSIL1C_20171207*.zip"))
    with pytest.raises(SystemExit) as left:
        main(["convert", str(product), str(tmp_path / "p.zarr"), "--include", "*/r60m/*"])
    assert left.value.code == 0
    lines = told.getvalue().splitlines()
    amounts = [line.split() for line in lines if line.startswith("chunks: ")]
    done = [int(words[1]) for words in amounts]
    assert done == sorted(done)
    assert len({words[3] for words in amounts}) == 1
    assert done[-1] == int(amounts[-1][3]) == 10
