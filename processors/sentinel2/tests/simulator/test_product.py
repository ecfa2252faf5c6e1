"""The product on disk, against its truth, through GDAL and through our own reader."""

import hashlib

import numpy as np
import pytest
import rasterio
from lxml import etree
from rasterio.errors import NotGeoreferencedWarning
from swath.product import open_product
from swath_sentinel2.simulator import BANDS, classification, truth
from swath_sentinel2.simulator._truth import true_colour

NAMES = [band.name for band in BANDS]
RESOLUTION = {band.name: band.resolution for band in BANDS}


def find(product, kind):
    (found,) = product.glob(f"GRANULE/*/*/*{kind}.jp2")
    return found


def held(scene, band):
    side = scene.pixels(RESOLUTION[band])
    return truth(scene, band, ((0, side), (0, side)))


@pytest.fixture(scope="module")
def tree(product):
    return open_product(product)


@pytest.mark.parametrize("band", NAMES)
def test_gdal_reads_from_each_band_what_the_truth_says(product, scene, band):
    with rasterio.open(find(product, f"031_{band}")) as image:
        np.testing.assert_array_equal(image.read(1), held(scene, band).digital_number)
        assert image.crs.to_epsg() == 32632
        assert image.transform[:6] == (RESOLUTION[band], 0, 699960, 0, -RESOLUTION[band], 4700040)
        assert image.block_shapes == [(scene.codec_tile(RESOLUTION[band]),) * 2]
        assert image.tags(ns="IMAGE_STRUCTURE")["COMPRESSION_REVERSIBILITY"] == "LOSSLESS"
        assert image.tags(1, ns="IMAGE_STRUCTURE")["NBITS"] == "15"


@pytest.mark.parametrize("band", NAMES)
def test_our_reader_reads_from_each_band_what_the_truth_says(tree, scene, band):
    name = band.lower()
    expected = held(scene, band)
    read = tree[f"/measurements/reflectance/r{RESOLUTION[band]}m/{name}"].to_numpy()
    counts = expected.digital_number.astype(np.float64)
    reflectance = np.where(counts == 0, np.nan, counts * 1e-4 - 0.1)
    np.testing.assert_allclose(read, reflectance, rtol=0, atol=1e-12)
    footprint = tree[f"/conditions/mask/detector_footprint/r{RESOLUTION[band]}m/{name}"].to_numpy()
    np.testing.assert_array_equal(footprint, expected.detector)


@pytest.mark.parametrize("band", NAMES)
def test_masks_tell_detectors_and_pixels_without_data(product, scene, band):
    detector = held(scene, band).detector
    with rasterio.open(find(product, f"DETFOO_{band}")) as mask:
        np.testing.assert_array_equal(mask.read(1), detector)
        assert mask.transform[0] == RESOLUTION[band]
        assert mask.crs.to_epsg() == 32632
    with rasterio.open(find(product, f"QUALIT_{band}")) as mask:
        flags = mask.read()
    assert flags.shape == (8, *detector.shape)
    np.testing.assert_array_equal(flags[5], detector == 0)
    assert not np.delete(flags, 5, axis=0).any()


def test_classification_is_that_of_the_truth(product, scene):
    with rasterio.open(find(product, "CLASSI_B00")) as mask:
        np.testing.assert_array_equal(mask.read(), classification(scene, ((0, 65), (0, 65))))


def test_masks_tile_by_tile_are_what_gdal_and_openjpeg_decode(product, tmp_path):
    """Only JPEG 2000 boxes that GDAL writes itself are taken away: the codestream alone must decode too."""
    import imagecodecs

    found = find(product, "DETFOO_B02")
    code = found.read_bytes()
    alone = imagecodecs.jpeg2k_decode(code[code.index(b"\xff\x4f\xff\x51") :])
    with rasterio.open(found) as mask:
        np.testing.assert_array_equal(alone, mask.read(1))
        assert mask.block_shapes == [(128, 128)]


def test_true_colour_and_preview_show_red_green_and_blue(product, scene):
    expected = np.stack([true_colour(held(scene, band).digital_number) for band in ("B04", "B03", "B02")])
    with rasterio.open(find(product, "_TCI")) as image:
        np.testing.assert_array_equal(image.read(), expected)
        assert [colour.name for colour in image.colorinterp] == ["red", "green", "blue"]
    with rasterio.open(find(product, "_PVI")) as image:
        np.testing.assert_array_equal(image.read(), expected[:, 16::32, 16::32][:, : 390 // 32, : 390 // 32])
        assert image.transform[0] == 320


@pytest.mark.filterwarnings("ignore", category=NotGeoreferencedWarning)  # the product as a whole has no grid
def test_gdal_opens_it_as_a_sentinel_2_product(product, scene):
    with rasterio.open(product / "MTD_MSIL1C.xml") as whole:
        assert whole.driver == "SENTINEL2"
        assert whole.tags()["PROCESSING_BASELINE"] == "05.11"
        subdatasets = whole.subdatasets
    expected = {"10m": ("B4", "B3", "B2", "B8"), "20m": ("B5", "B6", "B7", "B8A", "B11", "B12")}
    expected |= {"60m": ("B1", "B9", "B10"), "TCI": ("B4", "B3", "B2")}
    assert len(subdatasets) == len(expected)
    for name in subdatasets:
        kind = name.split(":")[-2]
        with rasterio.open(name) as part:
            assert tuple(part.tags(n)["BANDNAME"] for n in part.indexes) == expected[kind]
            assert part.crs.to_epsg() == 32632
            assert (part.transform[2], part.transform[5]) == (699960, 4700040)
            if kind == "20m":
                assert part.tags(1)["RADIO_ADD_OFFSET"] == "-1000"
                np.testing.assert_array_equal(part.read(1), held(scene, "B05").digital_number)


def test_says_that_it_is_simulated(product):
    assert product.name == "S2A_MSIL1C_20240620T101031_N0511_R022_T32TQM_20000101T000005.SAFE"
    assert "NOT A SENTINEL-2 ACQUISITION" in (product / "README.txt").read_text()
    assert "seed: 5" in (product / "ORIGIN.txt").read_text()
    assert "SIMULATED" in (product / "manifest.safe").read_text()
    assert "simulated" in etree.parse(product / "MTD_MSIL1C.xml").findtext(".//PRODUCT_DOI")
    for found in product.glob("**/MTD_*.xml"):
        document = etree.parse(found)
        for centre in document.iter("PROCESSING_CENTER", "ARCHIVING_CENTRE"):
            assert centre.text == "SIM_"


def test_manifest_lists_every_file_with_its_true_checksum(product):
    document = etree.parse(product / "manifest.safe")
    listed = {}
    for stream in document.iter("byteStream"):
        listed[stream.find("fileLocation").get("href")[2:]] = (
            int(stream.get("size")),
            stream.findtext("checksum"),
        )
    files = {path.relative_to(product).as_posix(): path for path in product.rglob("*") if path.is_file()}
    del files["manifest.safe"]
    assert listed == {
        name: (path.stat().st_size, hashlib.sha3_256(path.read_bytes()).hexdigest())
        for name, path in files.items()
    }


def test_metadata_names_files_that_are_there(product):
    main, granule = (
        etree.parse(product / "MTD_MSIL1C.xml"),
        etree.parse(next(product.glob("GRANULE/*/MTD_TL.xml"))),
    )
    images = [f"{name.text}.jp2" for name in main.iter("IMAGE_FILE")]
    masks = [name.text for name in granule.iter("MASK_FILENAME", "PVI_FILENAME")]
    assert len(images) == 14
    assert len(masks) == 28
    assert {path.relative_to(product).as_posix() for path in product.rglob("*.jp2")} == {*images, *masks}


def test_percentages_are_those_of_the_classification(product, scene):
    flags = classification(scene, ((0, 65), (0, 65)))
    valid = (held(scene, "B01").detector != 0).sum()
    main, granule = (
        etree.parse(product / "MTD_MSIL1C.xml"),
        etree.parse(next(product.glob("GRANULE/*/MTD_TL.xml"))),
    )
    cloudy = 100 * flags[:2].sum() / valid
    assert float(main.findtext(".//Cloud_Coverage_Assessment")) == pytest.approx(cloudy, abs=1e-5)
    assert float(granule.findtext(".//CLOUDY_PIXEL_PERCENTAGE")) == pytest.approx(cloudy, abs=1e-5)
    snowy = 100 * flags[2].sum() / valid
    assert float(granule.findtext(".//SNOW_PIXEL_PERCENTAGE")) == pytest.approx(snowy, abs=1e-5)


def test_reader_gives_the_angles_and_the_grid(tree):
    geometry = tree["/conditions/geometry"]
    assert geometry["sun_angles"].sizes == {"angle": 2, "y": 23, "x": 23}
    zenith = geometry["sun_angles"].sel(angle="zenith").to_numpy()
    assert 18 < zenith.min() < zenith.max() < 30
    viewing = geometry["viewing_incidence_angles"].to_numpy()
    assert np.isnan(viewing).any()
    assert np.isfinite(viewing).any()
