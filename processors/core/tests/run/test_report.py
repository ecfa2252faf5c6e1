"""The report as a page: whole by itself, with all that was done; and the profile beside it."""

import json
from xml.etree import ElementTree as ET

import numpy as np
import pystac
import pytest
from lxml import html
from swath.errors import InputError
from swath.run import _profile, execute

WINDOW = "rows 20:120, columns 0:100"


def test_the_page_loads_nothing_and_shows_each_chunk(payload, destination):
    report = execute(payload(window=WINDOW, cogs=False))
    text = (destination / "report.html").read_text()
    page = html.fromstring(text)
    assert not page.xpath("//@src | //link | //script")
    assert [heading.text for heading in page.xpath("//h2")] == [
        "Chunks over time",
        "Stored bytes read",
        "Memory of the processes",
        "Slowest steps",
        "Plan",
        "Made with",
    ]
    titles = [title.text for title in page.xpath("//*[local-name()='title']")]
    for record in report.computed.records:
        where = f"chunk {record.position[0]}, {record.position[1]}"
        assert sum(title.startswith(f"{where} (") for title in titles if title) == 1
        assert sum(title.startswith(f"{where}, written") for title in titles if title) == 1
    for svg in page.xpath("//*[local-name()='svg']"):
        for number in svg.xpath(".//@x | .//@y | .//@width | .//@height"):
            assert np.isfinite(float(number)), number


def test_the_times_of_a_chunk_add_up(payload):
    report = execute(payload(window=WINDOW, cogs=False, parameters={"seconds": 0.05}))
    for record in report.computed.records:
        assert report.began <= record.start <= record.computing <= record.end
        assert record.steps["dawdle"] >= 0.05
        assert sum(record.steps.values()) + record.writing <= record.end - record.computing + 1e-3
        assert record.memory > 0
    assert max(record.bytes_read for record in report.computed.records) >= report.read.bytes


def test_the_report_for_machines_has_the_same(payload, destination):
    report = execute(payload(window=WINDOW, cogs=False))
    told = json.loads((destination / "report.json").read_text())
    positions = [list(record.position) for record in report.computed.records]
    assert [entry["chunk"] for entry in told["chunks"]] == positions
    assert told["memory"]["fit"]["needed"] == report.fit.needed
    item = pystac.Item.from_file(destination / "item.json")
    assert {item.assets[key].media_type for key in ("report", "report-page")} == {
        "application/json",
        "text/html",
    }


def test_a_notebook_shows_a_summary(payload):
    report = execute(payload(window=WINDOW, cogs=False))
    shown = report._repr_html_()
    ET.fromstring(shown.replace("&nbsp;", " "))
    assert "Slowest steps" in shown
    assert "out" in shown


@pytest.mark.parametrize("engine", ["threads", "distributed"])
def test_a_profile_shows_the_steps(payload, destination, engine):
    execute(payload(window=WINDOW, cogs=False, profile=True, engine=engine, parameters={"seconds": 0.02}))
    speedscope = json.loads((destination / "profile.speedscope.json").read_text())
    assert "dawdle" in {frame["name"] for frame in speedscope["shared"]["frames"]}
    assert "dawdle" in (destination / "profile.html").read_text()


def test_a_profiler_that_is_not_there_is_told_before_anything_is_done(payload, destination, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "pyinstrument", None)
    with pytest.raises(InputError, match=r"pip install 'swath\[profile\]'"):
        execute(payload(profile=True))
    assert _profile.PROFILE == "profile.html"
    assert not list(destination.parent.iterdir())
