"""SLC and GRD products that are broken are refused when they are opened, and the message tells what to do."""

import re

import pytest
import swath
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.errors import MetadataError, ProductError

STEM = "s1b-iw1-slc-vv-20210401t052624-20210401t052649-026269-032297-004"


def refused(path, pattern, error=ProductError):
    with pytest.raises(error, match=pattern) as caught:
        swath.open_product(path)
    assert caught.value.exit_status == 2
    return str(caught.value)


@pytest.mark.parametrize(
    "name",
    [
        f"measurement/{STEM}.tiff",
        f"annotation/{STEM}.xml",
        f"annotation/calibration/noise-{STEM}.xml",
        f"annotation/calibration/calibration-{STEM}.xml",
    ],
)
def test_a_missing_file_of_an_image_is_named(slc_copy, name):
    if name.startswith("annotation/s1b"):
        # Another annotation is there, so that it is still taken for a product.
        (slc_copy / "annotation/s1b-iw9-none.xml").write_text("<product/>")
    (slc_copy / name).unlink()
    refused(slc_copy, f"missing are {re.escape(name)}, but other files of the same image are there")


def test_a_product_without_any_image(slc_copy):
    for file in slc_copy.rglob(f"*{STEM}*"):
        file.rename(file.with_name(file.name.replace("iw1", "iw7")))
    refused(slc_copy, "none of the images that its manifest.safe names are there")


def test_an_image_that_is_cut(slc_copy):
    image = slc_copy / f"measurement/{STEM}.tiff"
    image.write_bytes(image.read_bytes()[:-5])
    refused(slc_copy, f"{STEM}.tiff is truncated")


def test_an_image_that_is_something_else(slc_copy):
    (slc_copy / f"measurement/{STEM}.tiff").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    refused(slc_copy, f"{STEM}.tiff is no TIFF")


def test_an_image_of_another_size(slc_copy, change):
    change(slc_copy / f"annotation/{STEM}.xml", "<numberOfSamples>21632<", "<numberOfSamples>21633<")
    refused(
        slc_copy, r"has \(13509, 21632\) pixels of complex64, but its annotation tells of \(13509, 21633\)"
    )


@pytest.mark.parametrize(
    ("pattern", "text", "told"),
    [
        (
            "<linesPerBurst>1501",
            "<linesPerBurst>1500",
            "9 bursts of 1500 lines, but the image has 13509 lines",
        ),
        ("<azimuthTimeInterval>2.05[^<]*", "<azimuthTimeInterval>-1", "azimuthTimeInterval is '-1'"),
        ("<azimuthTimeInterval>2.05[^<]*", "<azimuthTimeInterval>nan", "azimuthTimeInterval is 'nan'"),
        ("<time>2021-04-01T05:25:19.000000", "<time>2021-04-31T05:25:19.000000", "time is '2021-04-31T05"),
        ("<t0>5.35[^<]*</t0>", "<t0/>", "t0 is missing or empty"),
        ("<latitude>[^<]*", "<latitude>north", "latitude has something else than numbers in it"),
        ("<line>0</line>", "<line>0.5</line>", "line has something else than whole numbers in it"),
        ("<geolocationGridPoint>.*?</geolocationGridPoint>", "", "points of the geolocation grid in"),
        (
            r"<firstValidSample count=\"1501\">-1 ",
            '<firstValidSample count="1501">',
            "not of 1501 lines|RowsDiffer",
        ),
        (
            "<dataDcRmsErrorAboveThreshold>false",
            "<dataDcRmsErrorAboveThreshold>maybe",
            "neither true nor false",
        ),
        ("<q0>[^<]*", "<q0>1e308", "q0 has numbers too large for float32"),
        ("</imageInformation>", "</imageInfo>", "malformed"),
        ("<imageInformation>.*</imageInformation>", "", "this is no annotation of an image"),
    ],
)
def test_an_annotation_that_makes_no_sense(slc_copy, change, pattern, text, told):
    path = slc_copy / f"annotation/{STEM}.xml"
    if "firstValid" in pattern:
        change(path, r'(<firstValidSample count="1501">)-1 ', r"\1")
    elif "geolocationGridPoint>" in pattern:
        whole = path.read_text()
        path.write_text(re.sub(pattern, "", whole, count=1, flags=re.DOTALL))
    else:
        change(path, pattern, text)
    message = refused(slc_copy, told, MetadataError)
    assert re.search(rf"{STEM}.xml", message)


@pytest.mark.parametrize(
    ("kind", "pattern", "text", "told"),
    [
        ("calibration", r'(<sigmaNought count="542">)\S+ ', r"\1", "has 541 values at 542 pixels"),
        ("calibration", r'(<pixel count="542">)0 40 ', r"\g<1>40 0 ", "pixels that do not increase"),
        ("calibration", "<calibrationVectorList.*</calibrationVectorList>", "", "has no vectors"),
        ("noise", r'(<noiseRangeLut count="542">)\S+', r"\1inf", "something else than numbers"),
        ("noise", r'(<noiseRangeLut count="542">)\S+', r"\g<1>1e308", "too large for single precision"),
        ("noise", r'(<noiseAzimuthLut count="\d+">)\S+ ', r"\1", "values at 1359 lines"),
    ],
)
def test_tables_that_make_no_sense(slc_copy, change, kind, pattern, text, told):
    change(slc_copy / f"annotation/calibration/{kind}-{STEM}.xml", pattern, text)
    refused(slc_copy, told, MetadataError)


def test_a_number_that_no_file_could_hold_stays_text(slc_copy, change):
    change(slc_copy / f"annotation/{STEM}.xml", "<sliceNumber>7<", f"<sliceNumber>{'9' * 400}<")
    burst = next(iter(swath.open_product(slc_copy).children.values()))
    information = burst.attrs["other_metadata"]["image_annotation"]["image_information"]
    assert information["slice_number"] == "9" * 400


@pytest.mark.parametrize("name", ["manifest.safe", f"annotation/{STEM}.xml"])
def test_any_document_type_declaration(slc_copy, name):
    path = slc_copy / name
    text = path.read_text(encoding="utf-8").removeprefix('<?xml version="1.0" encoding="UTF-8"?>')
    path.write_text('<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>' + text, encoding="utf-8")
    refused(slc_copy, "DOCTYPE.*do not trust", MetadataError)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd"])
def test_a_file_outside_the_product(slc_copy, change, name):
    change(slc_copy / "manifest.safe", rf"[.]/measurement/{STEM}.tiff", name)
    refused(slc_copy, "leads out of the product")


def test_a_link_to_the_outside(slc_copy, tmp_path):
    image = slc_copy / f"measurement/{STEM}.tiff"
    outside = image.rename(tmp_path / "outside.tiff")
    image.symlink_to(outside)
    refused(slc_copy, "is a link that leads out of the product")


def test_an_ocean_product_is_told_from_others(slc_copy, change):
    change(slc_copy / "manifest.safe", "level-1/slc/standard/iwdp", "level-2/ocn/standard/iwdv")
    refused(slc_copy, "is of sar/level-2/ocn/standard/iwdv, expected a level-1 SLC or GRD")


VALUES = [
    "",
    "-1",
    "0",
    "nan",
    "1e400",
    "99999999999999999999",
    "1.5",
    "abc",
    "2021-04-01T05:26:24",
    "0 0 0",
    "../x",
]


@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_changed_metadata_is_read_or_refused(slc_copy, data):
    """A value replaced, an element taken away, bits flipped: a tree or the typed error, and nothing else."""
    files = sorted(p for p in slc_copy.rglob("*") if p.suffix in (".xml", ".safe"))
    file = data.draw(st.sampled_from(files))
    whole = file.read_bytes()
    changed = bytearray(whole)
    kind = data.draw(st.sampled_from(["value", "element", "bits"]))
    if kind == "value":
        found = [m.span(1) for m in re.finditer(rb">([^<>\s][^<>]*)<", whole)]
        start, stop = data.draw(st.sampled_from(found))
        changed[start:stop] = data.draw(st.sampled_from(VALUES)).encode()
    elif kind == "element":
        opening = data.draw(st.sampled_from(list(re.finditer(rb"<([\w:]+)[^>]*>", whole))))
        end = whole.find(b"</" + opening[1] + b">", opening.end())
        changed[opening.start() : max(end, opening.start())] = b""
    else:
        for bit in data.draw(st.lists(st.integers(0, 8 * len(whole) - 1), min_size=1, max_size=4)):
            changed[bit // 8] ^= 1 << bit % 8
    file.write_bytes(changed)
    try:
        swath.open_product(slc_copy)
    except ProductError:
        pass
    finally:
        file.write_bytes(whole)
