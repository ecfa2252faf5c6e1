"""Sentinel-2 level-1C: what is read agrees with independent readings of the same files."""

import pickle
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
from swath.io import metering

BANDS = ["b01", "b02", "b03", "b04", "b05", "b06", "b07", "b08", "b8a", "b09", "b10", "b11", "b12"]


def images(safe: Path) -> dict[str, Path]:
    return {path.stem[-3:].lower(): path for path in safe.glob("GRANULE/*/IMG_DATA/*_B*.jp2")}


def bands(tree: xr.DataTree, group: str) -> dict[str, xr.DataArray]:
    return {
        str(name): array for node in tree[group].children.values() for name, array in node.data_vars.items()
    }


def test_reflectance_is_that_of_gdal(sample_safe):
    tree = swath.open_product(sample_safe)
    found = bands(tree, "/measurements/reflectance")
    assert sorted(found) == sorted(BANDS)
    for name, path in images(sample_safe).items():
        with rasterio.open(path) as file:
            counts = file.read(1)
        expected = np.where(counts == 0, np.nan, counts * 1e-4)
        np.testing.assert_array_equal(found[name].values, expected)


def test_grids_are_those_of_gdal(sample_safe):
    tree = swath.open_product(sample_safe)
    for name, array in bands(tree, "/measurements/reflectance").items():
        with rasterio.open(images(sample_safe)[name]) as file:
            grid = swath.Grid.of(array)
            assert grid.transform == tuple(file.transform)[:6]
            assert (grid.shape, grid.crs) == (file.shape, str(file.crs))
            np.testing.assert_array_equal(array.x, [file.xy(0, k)[0] for k in range(file.width)])
            np.testing.assert_array_equal(array.y, [file.xy(k, 0)[1] for k in range(file.height)])


def test_angles_have_the_digits_of_the_metadata(sample_safe):
    geometry = swath.open_product(sample_safe)["/conditions/geometry"]
    text = next(sample_safe.glob("GRANULE/*/MTD_TL.xml")).read_text()

    def grids(block: str) -> np.ndarray:
        lists = re.findall(r"<Values_List>(.*?)</Values_List>", block, re.DOTALL)
        return np.array(
            [[row.split() for row in re.findall(r"<VALUES>(.*?)</VALUES>", one)] for one in lists], float
        )

    sun = re.search(r"<Sun_Angles_Grid>.*?</Sun_Angles_Grid>", text, re.DOTALL)[0]
    np.testing.assert_array_equal(geometry.sun_angles, grids(sun))
    opening = r'<Viewing_Incidence_Angles_Grids bandId="(\d+)" detectorId="(\d+)">'
    views = re.findall(opening + "(.*?)</Viewing_Incidence_Angles_Grids>", text, re.DOTALL)
    assert len(views) == 13 * 6
    for band, detector, block in views:
        view = geometry.viewing_incidence_angles.sel(band=BANDS[int(band)], detector=int(detector))
        np.testing.assert_array_equal(view, grids(block))
    assert list(geometry.angle.values) == ["zenith", "azimuth"]
    assert geometry.mean_sun_angles.values.tolist() == [
        float(re.search(rf"<Mean_Sun_Angle>.*?<{kind}_ANGLE unit=\"deg\">(.*?)<", text, re.DOTALL)[1])
        for kind in ("ZENITH", "AZIMUTH")
    ]
    assert geometry.mean_viewing_incidence_angles.sel(band="b12").values.tolist() == [
        7.15157482320869,
        287.313143333901,
    ]
    assert (geometry.x.values[:2].tolist(), geometry.y.values[:2].tolist()) == (
        [499980, 504980],
        [6900040, 6895040],
    )


def test_polygon_masks_are_drawn_on_the_band_s_grid(sample_safe):
    tree = swath.open_product(sample_safe)
    footprint = tree["/conditions/mask/detector_footprint/r10m/b02"]
    assert set(np.unique(footprint)) <= {0, 7, 8, 9, 10, 11, 12}
    assert (footprint != 0).mean() > 0.99
    # Two detectors of B11 were only partly corrected; polygons narrower than a pixel touch few centres.
    assert set(np.unique(tree["/quality/mask/r20m/b11"])) == {0, 64}
    assert set(np.unique(tree["/quality/mask/r10m/b02"])) == {0}
    assert footprint.dtype == np.uint8


def test_the_zip_reads_as_the_directory(sample_safe, sample_zip):
    xr.testing.assert_identical(swath.open_product(sample_zip), swath.open_product(sample_safe))


def test_opening_reads_metadata_and_headers_only(sample_safe):
    with metering.reading() as read:
        swath.open_product(sample_safe)
    metadata = sum(
        p.stat().st_size for p in [*sample_safe.glob("MTD*.xml"), *sample_safe.glob("GRANULE/*/MTD_TL.xml")]
    )
    assert read.counts.chunks == 0
    datastrip = 5 * 65536  # its beginning and end, without the orbit
    assert metadata < read.counts.bytes <= metadata + 13 * 8192 + datastrip


def test_attributes_are_a_stac_item(sample_safe):
    discovery = swath.open_product(sample_safe).attrs["stac_discovery"]
    properties = discovery["properties"]
    assert discovery["id"] == "S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_20171207T032513"
    assert properties["datetime"] == "2017-12-07T00:20:51.026Z"
    assert properties["platform"] == "sentinel-2a"
    assert properties["sat:platform_international_designator"] == "2015-028A"
    assert (properties["sat:absolute_orbit"], properties["sat:relative_orbit"]) == (12840, 116)
    assert properties["proj:code"] == "EPSG:32755"
    assert properties["eo:cloud_cover"] == 0
    assert properties["bands"][3]["eo:center_wavelength"] == 0.6645
    # Nominally 31 nm (S2A, COPE-GSEG-EOPG-TN-15-0007).
    assert properties["bands"][3]["eo:full_width_half_max"] == pytest.approx(0.031, abs=0.002)
    ring = discovery["geometry"]["coordinates"][0]
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    assert ring[0] == ring[-1]
    assert area > 0  # counter-clockwise


def test_modern_products_have_offsets_and_raster_masks(modern_safe):
    tree = swath.open_product(modern_safe)
    for index, name in enumerate(BANDS):
        with rasterio.open(images(modern_safe)[name]) as file:
            counts = file.read(1)
        array = bands(tree, "/measurements/reflectance")[name]
        expected = np.where(counts == 0, np.nan, counts * 1e-4 + (-1000 - index) / 10000)
        np.testing.assert_array_equal(array.values, expected)
        for kind, group in (("DETFOO", "/conditions/mask/detector_footprint"), ("QUALIT", "/quality/mask")):
            with rasterio.open(
                next(modern_safe.glob(f"GRANULE/*/QI_DATA/MSK_{kind}_{name.upper()}.jp2"))
            ) as file:
                planes = file.read()
            flags = (
                planes[0] if kind == "DETFOO" else (planes * (1 << np.arange(8))[:, None, None]).sum(axis=0)
            )
            np.testing.assert_array_equal(bands(tree, group)[name].values, flags)
    with rasterio.open(next(modern_safe.glob("GRANULE/*/QI_DATA/MSK_CLASSI_B00.jp2"))) as file:
        opaque, cirrus, snow = file.read()
    classes = tree["/conditions/mask/l1c_classification/r60m/b00"]
    np.testing.assert_array_equal(classes.values, opaque + 2 * cirrus + 4 * snow)
    assert classes.attrs["flag_meanings"] == ["OPAQUE", "CIRRUS", "SNOW_ICE"]
    properties = tree.attrs["stac_discovery"]["properties"]
    assert properties["platform"] == "sentinel-2d"
    assert properties["eo:snow_cover"] == 1.5


def test_a_chunk_is_a_codec_tile_whose_bytes_are_known_before(modern_safe):
    array = swath.open_product(modern_safe)["/measurements/reflectance/r10m/b02"]
    source = swath.chunk_source(array)
    assert (source.shape, source.chunk_shape, array.chunks[0]) == ((172, 172), (64, 64), (64, 64, 44))
    planned = source.chunk_bytes(2, 1)
    with metering.reading() as read:
        array.data.blocks[2, 1].compute(scheduler="synchronous")
    assert read.counts == metering.Counts(bytes=planned, requests=1, chunks=1)


def test_a_cut_array_has_no_chunk_source(modern_safe):
    array = swath.open_product(modern_safe)["/measurements/reflectance/r10m/b02"]
    assert swath.chunk_source(array[:, 5:]) is None
    assert swath.chunk_source(array.chunk(50)) is None
    assert swath.chunk_source(array.compute()) is None


def test_lazy_arrays_can_be_sent_to_another_process(sample_zip):
    array = swath.open_product(sample_zip)["/measurements/reflectance/r10m/b02"]
    again = pickle.loads(pickle.dumps(array))
    xr.testing.assert_identical(again.compute(), array.compute())


def test_chunks_of_polygons_are_those_of_the_whole(sample_safe):
    from swath.io.store import open_store
    from swath.product.sentinel2._polygons import Polygons

    tree = swath.open_product(sample_safe)
    whole = tree["/conditions/mask/detector_footprint/r10m/b02"]
    file = "GRANULE/L1C_T55JEJ_A012840_20171207T002252/QI_DATA/MSK_DETFOO_B02.gml"
    store = open_store(sample_safe)
    source = Polygons(store, (file,), (store.size(file),), swath.Grid.of(whole), (50, 70), ())
    drawn = np.block([[source.read(row, column) for column in range(3)] for row in range(4)])
    np.testing.assert_array_equal(drawn, whole.values)
