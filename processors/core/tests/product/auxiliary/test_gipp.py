"""Processing parameters of Sentinel-2: numbers are those of the files, over what the files list."""

import numpy as np
import pytest
import swath
from lxml import etree


@pytest.fixture(scope="module")
def folder(samples):
    return next(samples.glob("s2/gipp_aux/*GIP_DATATI*"))


def test_lists_are_dimensions(folder):
    parameters = swath.open_product(folder)["/parameters"]
    document = etree.parse(str(next(folder.glob("*.DBL"))))
    assert parameters["delta_on_t0"].dims == ("band_parameters", "detector_parameters")
    expected = np.array(document.xpath("//DELTA_ON_T0/text()"), float).reshape(13, 12)
    np.testing.assert_array_equal(parameters["delta_on_t0"], expected)
    detectors = np.array(document.xpath("//DETECTOR_ID/text()"), float).reshape(13, 12)
    np.testing.assert_array_equal(parameters["detector_id"], detectors)
    assert parameters["time_shift"].attrs["units"] == "ms"
    assert parameters.attrs["theoretical_line_period"] == float(
        document.findtext(".//THEORETICAL_LINE_PERIOD")
    )
    assert parameters.attrs["theoretical_line_period_units"] == "ms"


def test_single_values_are_attributes(samples):
    parameters = swath.open_product(next(samples.glob("s2/gipp_aux/*GIP_ATMIMA*")))["/parameters"]
    assert parameters.attrs == {
        "trace_mode": True,
        "sp_min_size": 0,
        "max_error_by_sp": 75,
        "max_error_by_datastrip": 50,
        "vcu_active": "NOMINAL",
    }


def test_the_header_is_a_stac_item(folder):
    item = swath.open_product(folder).attrs["stac_discovery"]
    assert item["id"] == folder.name
    assert item["properties"]["product:type"] == "GIP_DATATI"
    assert item["properties"]["end_datetime"] == "2100-01-01T00:00:00Z"


def test_lists_that_differ_in_length_end_with_nan(folder, tmp_path):
    for file in folder.iterdir():
        text = file.read_text()
        at = text.rfind("<DETECTOR_PARAMETERS>")
        if at >= 0:
            end = text.index("</DETECTOR_PARAMETERS>", at) + len("</DETECTOR_PARAMETERS>")
            text = text[:at] + text[end:]
        (tmp_path / file.name).write_text(text)
    values = swath.open_product(tmp_path)["/parameters"]["delta_on_t0"].values
    assert np.isnan(values[12, 11])
    assert np.isfinite(np.delete(values.ravel(), -1)).all()
