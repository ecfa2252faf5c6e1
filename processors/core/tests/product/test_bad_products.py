"""Bad products are refused when they are opened, or before anything is written, and the message tells what
to do."""

import re
import shutil
import zipfile
from pathlib import Path

import pytest
import swath
from swath.errors import InputError, MetadataError, ProductError

TILE = "GRANULE/L1C_T55JEJ_A012840_20171207T002252"
B05 = f"{TILE}/IMG_DATA/T55JEJ_20171207T002051_B05.jp2"


def refused(path, pattern, error=ProductError):
    with pytest.raises(error, match=pattern) as caught:
        swath.open_product(path)
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_a_place_with_nothing(tmp_path):
    refused(tmp_path / "nothing.SAFE", "nothing at .*give the path of a product")


def test_a_directory_that_is_no_product(tmp_path):
    (tmp_path / "notes.txt").write_text("notes")
    refused(tmp_path, "looked for: an EOPF Zarr product .*a Sentinel-2 level-1C SAFE")


def test_a_file_that_is_no_zip(tmp_path):
    file = tmp_path / "product.zip"
    file.write_bytes(b"nothing like it")
    refused(file, "neither a directory nor a zip")


def test_one_file_of_a_product_leads_to_its_directory(safe):
    refused(safe / "MTD_MSIL1C.xml", f"one file of a product: give the product's directory, {safe}")


def test_a_missing_band_is_named(safe):
    (safe / B05).unlink()
    refused(safe, rf"missing are band b05 \({B05}\)")


def test_metadata_without_pixels(samples):
    safe = next(samples.glob("s2/S2A_MSIL1C_20200717*.SAFE"))
    refused(safe, "missing are band b01 .* and .* more")


def test_level_2_metadata_without_pixels(samples):
    safe = next(samples.glob("s2/S2A_MSIL2A_20230821*.SAFE"))
    refused(safe, "missing are image b02 of 10 m .* and .* more")


def test_an_image_cut_within_its_header(safe):
    (safe / B05).write_bytes((safe / B05).read_bytes()[:1500])
    refused(safe, "B05.jp2 is truncated")


def test_an_image_shorter_than_its_header_says(safe):
    (safe / B05).write_bytes((safe / B05).read_bytes()[:-100])
    refused(safe, "B05.jp2 is truncated: it has .* bytes, its header tells of")


def test_an_image_that_is_empty(safe):
    (safe / B05).write_bytes(b"")
    refused(safe, "B05.jp2 is truncated within its header")


def test_an_image_that_is_something_else(safe):
    (safe / B05).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(500))
    refused(safe, "B05.jp2 is not a JPEG 2000 image")


def test_a_tile_missing_is_found_before_anything_is_written(modern_safe, tmp_path):
    safe = Path(shutil.copytree(modern_safe, tmp_path / modern_safe.name))
    image = safe / B05
    data = image.read_bytes()
    # The codestream's box is made to go on to the file's end, which is then cut within the last tile.
    at = data.index(b"jp2c") - 4
    image.write_bytes((data[:at] + bytes(4) + data[at + 4 :])[:-300])
    tree = swath.open_product(safe)
    with pytest.raises(
        ProductError, match=r"B05.jp2 is truncated: (its tiles go on|.* of its 4 tiles are missing)"
    ):
        swath.write_product(tree, tmp_path / "out.zarr")
    assert not list(tmp_path.glob("*out.zarr*"))


def test_malformed_metadata_names_file_and_line(safe, change):
    change(safe / "MTD_MSIL1C.xml", "</QUANTIFICATION_VALUE>", "</QUANTITY>")
    refused(safe, r"MTD_MSIL1C.xml is malformed, .*line \d+", MetadataError)


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_any_document_type_declaration(safe, declaration):
    path = safe / "MTD_MSIL1C.xml"
    path.write_text(declaration + path.read_text(encoding="utf-8"), encoding="utf-8")
    refused(safe, "DOCTYPE.*do not trust", MetadataError)


def test_a_document_type_declaration_in_utf_16(safe):
    path = safe / "MTD_MSIL1C.xml"
    path.write_bytes(('<!DOCTYPE a [<!ENTITY b "b">]>' + path.read_text(encoding="utf-8")).encode("utf-16"))
    refused(safe, "DOCTYPE", MetadataError)


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "GRANULE/../../secret_B05"])
def test_an_image_outside_the_product(safe, change, name):
    change(safe / "MTD_MSIL1C.xml", r"<IMAGE_FILE>[^<]*_B05</IMAGE_FILE>", f"<IMAGE_FILE>{name}</IMAGE_FILE>")
    refused(safe, "leads out of the product")


def test_an_image_that_is_a_link_to_the_outside(safe, tmp_path):
    outside = tmp_path / "outside.jp2"
    (safe / B05).rename(outside)
    (safe / B05).symlink_to(outside)
    refused(safe, "B05.jp2 is a link that leads out of the product")


@pytest.mark.parametrize(
    ("pattern", "text", "told"),
    [
        (
            r"(<QUANTIFICATION_VALUE unit=\"none\">)10000",
            r"\g<1>0",
            "QUANTIFICATION_VALUE is '0', expected a number from 1",
        ),
        (r"(<QUANTIFICATION_VALUE unit=\"none\">)10000", r"\1nan", "QUANTIFICATION_VALUE is 'nan'"),
        (r"(<U>)1.02945457689196", r"\g<1>7", "Reflectance_Conversion/U is '7'"),
        (r"2017-12-07T00:20:51.026Z(</PRODUCT_START)", r"2017-13-07\1", "PRODUCT_START_TIME is '2017-13-07'"),
        (r"(<SPACECRAFT_NAME>)Sentinel-2A", r"\1Voyager", "SPACECRAFT_NAME is 'Voyager'"),
        (r"(<Cloud_Coverage_Assessment>)0.0", r"\g<1>101", "Cloud_Coverage_Assessment is '101'"),
        (r"<IMAGE_FILE>[^<]*_B12</IMAGE_FILE>", "", "no IMAGE_FILE for b12"),
        (r"-28.879064341218076", "-128.9", "EXT_POS_LIST is no polygon"),
        (r"(<VALUES>)[\d.]+ ", r"\1x ", "Spectral_Response/VALUES are no numbers"),
        (r"(<VALUES>)[\d.]+ ", r"\1nan ", "Spectral_Response/VALUES have none above 0, or some"),
    ],
)
def test_values_that_make_no_sense(safe, change, pattern, text, told):
    change(safe / "MTD_MSIL1C.xml", pattern, text)
    message = refused(safe, re.escape(told), MetadataError)
    assert re.search(r"MTD_MSIL1C.xml, line \d+", message)


@pytest.mark.parametrize(
    ("pattern", "text", "told"),
    [
        ("EPSG:32755", "EPSG:somewhere", "HORIZONTAL_CS_CODE"),
        (r"<NROWS>10980</NROWS>", "<NROWS>-3</NROWS>", "NROWS is '-3'"),
        (r"<VALUES>22.9222 22.8783", "<VALUES>22.9222", "is no grid of numbers"),
        (r"<VALUES>22.9222", "<VALUES>222.9", "angles outside"),
        (r'detectorId="7"', 'detectorId="seven"', "detectorId='seven'"),
    ],
)
def test_tile_values_that_make_no_sense(safe, change, pattern, text, told):
    change(safe / TILE / "MTD_TL.xml", pattern, text)
    refused(safe, re.escape(told), MetadataError)


def test_a_mask_that_is_no_ring_of_positions(safe, change):
    change(
        safe / TILE / "QI_DATA/MSK_DETFOO_B02.gml",
        r"<gml:posList srsDimension=\"3\">[^<]*",
        "<gml:posList>1 2 3",
    )
    tree = swath.open_product(safe)
    with pytest.raises(MetadataError, match=r"MSK_DETFOO_B02.gml, line \d+: posList"):
        tree["/conditions/mask/detector_footprint/r10m/b02"].compute(scheduler="synchronous")


def test_a_corrupt_zip(sample_zip, tmp_path):
    cut = tmp_path / "product.zip"
    cut.write_bytes(sample_zip.read_bytes()[:-2000])
    refused(cut, "corrupt or truncated zip", InputError)


def test_a_zip_with_a_flipped_bit_in_its_metadata(sample_zip, tmp_path):
    with zipfile.ZipFile(sample_zip) as archive:
        info = archive.getinfo(next(n for n in archive.namelist() if n.endswith("/MTD_MSIL1C.xml")))
    data = bytearray(sample_zip.read_bytes())
    data[info.header_offset + 200 + len(info.filename)] ^= 0x40
    bad = tmp_path / "product.zip"
    bad.write_bytes(data)
    refused(bad, "MTD_MSIL1C.xml is (corrupt|truncated|malformed)|leads out|corrupt")
