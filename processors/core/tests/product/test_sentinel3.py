"""Sentinel-3: what is read agrees with independent readings of the same files, and with the sun."""

import pickle
import re
import shutil
import zipfile

import dask.array as da
import h5py
import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
from swath.errors import MetadataError, ProductError, SwathError
from swath.io import metering
from swath.product.sentinel3 import on_image_grid

EFR = "S3A_OL_1_EFR____20200101T101517_20200101T101817_20200102T141102_0179_053_179_2520_LN1_O_NT_002.SEN3"
SLSTR = "S3A_SL_1_RBT____20170313T110343_20170313T110643_20170314T172757_0179_015_208_2520_LN2_O_NT_002.SEN3"


pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
"""The decimated products have no georeference that GDAL knows."""


def test_numbers_are_those_of_h5py(efr):
    tree = swath.open_product(efr)
    for path, file, name in (
        ("conditions/image/detector_index", "instrument_data", "detector_index"),
        ("conditions/instrument/solar_flux", "instrument_data", "solar_flux"),
        ("conditions/instrument/fwhm", "instrument_data", "FWHM"),
        ("conditions/instrument/lambda0", "instrument_data", "lambda0"),
        ("conditions/instrument/frame_offset", "instrument_data", "frame_offset"),
        ("quality/quality_flags", "qualityFlags", "quality_flags"),
        ("conditions/geometry/sza", "tie_geometries", "SZA"),
        ("conditions/geometry/oaa", "tie_geometries", "OAA"),
        ("conditions/geometry/latitude", "tie_geo_coordinates", "latitude"),
    ):
        with h5py.File(efr / f"{file}.nc") as opened:
            raw, told = opened[name][()], dict(opened[name].attrs)
        expected = raw * np.atleast_1d(told.get("scale_factor", 1))[0]
        if "_FillValue" in told:
            expected = np.where(raw == told["_FillValue"][0], np.nan, expected)
        found = tree[path]
        assert "rows" in found.dims or found.ndim < 2 or "bands" in found.dims
        np.testing.assert_allclose(found.values, expected, rtol=1e-12)


def test_flags_are_cf_flags(efr):
    flags = swath.open_product(efr)["quality/quality_flags"]
    assert flags.dtype == np.uint32
    names = flags.attrs["flag_meanings"].split()
    assert names[:3] == ["land", "coastline", "fresh_inland_water"]
    assert len(flags.attrs["flag_masks"]) == len(names)
    bright = flags.attrs["flag_masks"][names.index("bright")]
    # The manifest says 3.586159 % of all pixels.
    assert float((flags.data & bright).astype(bool).mean()) == pytest.approx(0.0359, abs=0.01)


def test_time_stamps_are_utc(efr):
    """Read naively they are 18 s late: the file's own start, told in UTC, is the first row's time."""
    times = swath.open_product(efr)["conditions/image"].time_stamp
    with h5py.File(efr / "time_coordinates.nc") as file:
        start = np.datetime64(file.attrs["start_time"].decode().removesuffix("Z"), "ns")
        naive = np.datetime64("2000-01-01", "ns") + file["time_stamp"][:1].astype("m8[us]")
    assert times.values[0] == start
    assert naive[0] - times.values[0] == np.timedelta64(18, "s")
    assert "GPS" in times.attrs["comment"]


def sun(times: np.ndarray, latitude: np.ndarray, longitude: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return zenith and azimuth, degrees; Meeus, Astronomical Algorithms, chapters 12, 22 and 25."""
    days = (times - np.datetime64("2000-01-01T12:00:00", "ns")) / np.timedelta64(1, "D")
    t = (days + 69.2 / 86400) / 36525  # terrestrial time is 69.2 s ahead of UTC in 2020
    mean = np.radians(357.52911 + 35999.05029 * t - 0.0001537 * t**2)
    centre = (
        (1.914602 - 0.004817 * t) * np.sin(mean) + 0.019993 * np.sin(2 * mean) + 0.000289 * np.sin(3 * mean)
    )
    node = np.radians(125.04 - 1934.136 * t)
    nutation = -0.00478 * np.sin(node)
    apparent = np.radians(280.46646 + 36000.76983 * t + 0.0003032 * t**2 + centre - 0.00569 + nutation)
    tilt = np.radians(23.439291 - 0.0130042 * t + 0.00256 * np.cos(node))
    declination = np.arcsin(np.sin(tilt) * np.sin(apparent))
    ascension = np.arctan2(np.cos(tilt) * np.sin(apparent), np.cos(apparent))
    sidereal = np.radians(280.46061837 + 360.98564736629 * days + nutation * np.cos(tilt))
    hour = sidereal + np.radians(longitude) - ascension
    place = np.radians(latitude)
    up = np.sin(place) * np.sin(declination) + np.cos(place) * np.cos(declination) * np.cos(hour)
    north = np.cos(place) * np.sin(declination) - np.sin(place) * np.cos(declination) * np.cos(hour)
    east = -np.cos(declination) * np.sin(hour)
    return np.degrees(np.arccos(up)), np.degrees(np.arctan2(east, north))


def test_sun_angles_are_where_the_sun_was(efr):
    tree = swath.open_product(efr)
    geometry = tree["conditions/geometry"]
    times = tree["conditions/image"].time_stamp.values[:, None]
    zenith, azimuth = sun(times, geometry.latitude.values, geometry.longitude.values)
    assert np.nanmax(np.abs(zenith - geometry.sza.values)) < 0.006
    assert np.nanmax(np.abs(azimuth - geometry.saa.values)) < 0.01
    late, _ = sun(times + np.timedelta64(18, "s"), geometry.latitude.values, geometry.longitude.values)
    assert np.nanmax(np.abs(late - geometry.sza.values)) > 0.03


def test_tie_points_are_brought_to_the_image_lazily(efr):
    tree = swath.open_product(efr)
    zenith, azimuth = (on_image_grid(tree, f"conditions/geometry/{name}") for name in ("sza", "saa"))
    assert isinstance(zenith.data, da.Array)
    assert zenith.shape == (4091, 4865)
    tied = tree["conditions/geometry"].sza.values
    np.testing.assert_allclose(zenith[:50, ::64].values, tied[:50], atol=1e-9)
    latitude, longitude = (
        on_image_grid(tree, f"conditions/geometry/{name}")[1000:1010].values
        for name in ("latitude", "longitude")
    )
    times = tree["conditions/image"].time_stamp.values[1000:1010, None]
    expected = sun(times, latitude, longitude)
    assert np.abs(zenith[1000:1010].values - expected[0]).max() < 0.006
    assert np.abs(azimuth[1000:1010].values - expected[1]).max() < 0.01


def test_interpolated_places_are_those_of_the_pixels(small_efr):
    """But for what the relief moves them: pixels lie on the ground, tie points on the ellipsoid."""
    tree = swath.open_product(small_efr)
    for name in ("latitude", "longitude"):
        tied = on_image_grid(tree, f"conditions/geometry/{name}").values[:, 34:]
        assert np.abs(tied - tree["measurements"][name].values[:, 34:]).max() < 0.01


def test_azimuths_go_through_north_and_views_through_nadir():
    geometry = xr.Dataset(
        {
            "oza": (("rows", "columns"), [[10.0, 10.0]]),
            "oaa": (("rows", "columns"), [[90.0, -90.0]]),
            "sza": (("rows", "columns"), [[30.0, 30.0]]),
            "saa": (("rows", "columns"), [[170.0, -170.0]]),
        }
    )
    attributes = {
        "other_metadata": {
            "data_information": {"sampling": {"rows_per_tiepoint": 1, "columns_per_tiepoint": 4}}
        },
        "stac_discovery": {"properties": {"proj:shape": [1, 5]}},
    }
    tree = xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), "/conditions/geometry": geometry})
    assert on_image_grid(tree, "conditions/geometry/oza")[0, 2] == pytest.approx(0, abs=1e-6)
    assert abs(on_image_grid(tree, "conditions/geometry/saa")[0, 2]) == pytest.approx(180)


def test_what_is_not_on_tie_points_is_refused(small_efr):
    tree = swath.open_product(small_efr)
    tree["conditions/meteorology"]["profile"] = ("pressure_level", np.zeros(25))
    with pytest.raises(SwathError, match="no variable conditions/geometry/nothing"):
        on_image_grid(tree, "conditions/geometry/nothing")
    with pytest.raises(SwathError, match="not tie points"):
        on_image_grid(tree, "conditions/meteorology/profile")


def test_radiances_are_those_of_the_window(samples, small_efr):
    tree = swath.open_product(small_efr)
    with h5py.File(samples / "s3/l1b_subset/S3A_OL_1_EFR_ppetest_20x20.nc") as source:
        for k in range(1, 22):
            band = source[f"Oa{k:02}_radiance"]
            expected = band[()].astype(np.uint16) * band.attrs["scale_factor"][0]
            found = tree[f"measurements/oa{k:02}_radiance"]
            assert found.dims == ("rows", "columns")
            assert np.isnan(found.values[:, :34]).all()
            np.testing.assert_allclose(found.values[:, 34:], expected, rtol=1e-6)
        profile = source["atmospheric_temperature_profile_pressure_level_7"][()][:20]
    found = tree["conditions/meteorology/atmospheric_temperature_profile"]
    assert found.dims == ("pressure_level", "rows", "columns")
    np.testing.assert_array_equal(found.values[6], profile)
    assert set(tree["measurements"].coords) == {"latitude", "longitude", "altitude"}


def test_names_and_dimensions_are_those_of_the_model(samples, small_efr):
    import gzip
    import json

    with gzip.open(samples / "eopf/cpm_2.8.1_models/S03OLCEFR.json.gz") as file:
        model = json.load(file)["variables"]
    tree = swath.open_product(small_efr)
    found = {
        f"{node.path}/{name}": [str(dim) for dim in array.dims]
        for node in tree.subtree
        for name, array in node.data_vars.items()
    }
    assert len(found) == 21 + 1 + 4 + 3
    assert found == {path: model[path]["dims"] for path in found}


def test_slstr_goes_into_groups_of_view_and_grid(samples, small_rbt):
    import gzip
    import json

    tree = swath.open_product(small_rbt)
    with gzip.open(samples / "eopf/cpm_2.8.1_models/S03SLSRBT.json.gz") as file:
        model = json.load(file)["variables"]
    found = {f"{node.path}/{name}" for node in tree.subtree for name in node.data_vars}
    assert found == {
        "/measurements/anadir/s1_radiance_an", "/quality/anadir/s1_exception_an",
        "/measurements/inadir/s7_bt_in", "/quality/inadir/s7_exception_in",
        "/measurements/ioblique/s8_bt_io", "/quality/ioblique/s8_exception_io",
        "/conditions/processing/inadir/detector", "/conditions/processing/inadir/pixel",
        "/conditions/processing/inadir/scan", "/conditions/geometry_tn/sat_zenith_tn",
        "/conditions/geometry_tn/solar_zenith_tn", "/conditions/geometry_to/sat_zenith_to",
        "/conditions/meteorology/skin_temperature_tp",
    }  # fmt: skip
    assert found <= set(model)
    assert set(tree["conditions/geometry_tn"].coords) == {"latitude", "longitude"}
    subset = samples / "s3/l1b_subset" / f"{SLSTR}.nc"
    with rasterio.open(f'NETCDF:"{subset}":S7_BT_in') as file:
        raw, scale, offset = file.read(1), file.scales[0], file.offsets[0]
        expected = np.where(raw == file.nodata, np.nan, raw * scale + offset)
    np.testing.assert_allclose(tree["measurements/inadir/s7_bt_in"].values, expected, rtol=1e-6)
    assert 250 < np.nanmean(expected) < 340


@pytest.mark.parametrize(
    ("kind", "file", "variable", "path"),
    [
        ("OL_2_LFR", "rc_ogvi", "RC681", "measurements/rc681"),
        ("OL_2_LFR", "rc_ogvi", "RC681_err", "quality/rc681_unc"),
        ("OL_2_LFR", "ogvi", "OGVI", "measurements/gifapar"),
        ("OL_2_LFR", "ogvi", "OGVI_err", "quality/gifapar_unc"),
        ("OL_2_LFR", "otci", "OTCI_quality_flags", "quality/otci_quality_flags"),
        ("OL_2_LFR", "lqsf", "LQSF", "quality/lqsf"),
        ("OL_1_EFR", "removed_pixels", "Oa03_radiance", "measurements/orphans/oa03_radiance"),
        ("OL_1_EFR", "removed_pixels", "detector_index", "conditions/orphans/detector_index"),
        ("OL_1_EFR", "Oa03_radiance", "Oa03_radiance_err", "quality/oa03_radiance_unc"),
        ("SL_1_RBT", "S1_radiance_an", "S1_radiance_orphan_an", "measurements/anadir/orphan/s1_radiance"),
        ("SL_1_RBT", "S7_BT_io", "S7_exception_orphan_io", "quality/ioblique/orphan/s7_exception"),
        ("SL_1_RBT", "flags_fo", "cloud_fo", "quality/foblique/cloud_fo"),
        ("SL_1_RBT", "flags_fo", "cloud_orphan_fo", "quality/foblique/orphan/cloud"),
        ("SL_1_RBT", "S7_quality_in", "S7_T_BB1_in", "conditions/instrument/inadir/s7/s7_t_bb1_in"),
        ("SL_1_RBT", "time_an", "Nadir_First_scan_a", "conditions/time_an/nadir_first_scan_a"),
        ("SL_1_RBT", "time_an", "time_stamp_a", "measurements/anadir/time_stamp"),
        ("SL_1_RBT", "geodetic_bn", "elevation_bn", "measurements/bnadir/elevation"),
        ("SL_1_RBT", "geodetic_an", "elevation_orphan_an", "measurements/anadir/orphan/elevation_an"),
        ("SL_1_RBT", "viscal", "S1_slopes", "conditions/viscal/s1_slopes"),
        ("SL_2_LST", "LST_in", "LST", "measurements/lst"),
        ("SL_2_LST", "LST_in", "LST_uncertainty", "quality/lst_uncertainty"),
        (
            "SL_2_LST",
            "LST_ancillary_ds",
            "LST_uncertainty_locATM_orphan",
            "quality/orphan/lst_uncertainty_atm",
        ),
        (
            "OL_2_LFR",
            "tie_meteo",
            "atmospheric_temperature_profile",
            "conditions/meteorology/temperature_profile",
        ),
        ("SL_2_LST", "LST_ancillary_ds", "NDVI", "conditions/auxiliary/ndvi"),
        ("SL_2_LST", "flags_in", "confidence_in", "quality/confidence_in"),
        ("SL_2_LST", "geodetic_in", "elevation_in", "conditions/auxiliary/elevation"),
        ("SL_2_LST", "geometry_tn", "solar_path_tn", "conditions/geometry/solar_path_tn"),
        ("SL_2_LST", "indices_in", "scan_in", "conditions/processing/scan"),
        ("SL_2_LST", "met_tx", "dew_point_tx", "conditions/meteorology/dew_point_tp"),
        ("SY_2_SYN", "Syn_Oa05_reflectance", "SDR_Oa05", "measurements/olci/sdr_oa05"),
        ("SY_2_SYN", "Syn_S1N_reflectance", "SDR_S1N_err", "quality/uncertainties/slstr/nadir/sdr_s1_unc"),
        ("SY_2_SYN", "Syn_AOT550", "T550", "measurements/aerosol/aot550"),
    ],
)
def test_variables_go_where_the_model_has_them(samples, kind, file, variable, path):
    import gzip
    import json

    from swath.product.sentinel3._places import PLACES

    (place,) = PLACES[kind](file, variable, ("rows", "columns"))
    assert f"{place.group}/{place.name}" == path
    product = {
        "OL_2_LFR": "S03OLCLFR",
        "OL_1_EFR": "S03OLCEFR",
        "SL_1_RBT": "S03SLSRBT",
        "SL_2_LST": "S03SLSLST",
    }
    with gzip.open(samples / f"eopf/cpm_2.8.1_models/{product.get(kind, 'S03SYNSDR')}.json.gz") as model:
        assert f"/{path}" in json.load(model)["variables"]


@pytest.mark.parametrize("kind", ["OL_1_EFR", "OL_2_LFR", "SL_1_RBT", "SL_2_LST"])
def test_attributes_are_a_stac_item(samples, kind):
    import json

    folder = next(samples.glob(f"s3/sen3_headers/*{kind}*"))
    discovery = swath.open_product(folder).attrs["stac_discovery"]
    assert discovery["id"] == folder.name.removesuffix(".SEN3")
    assert discovery["properties"]["platform"] == "sentinel-3a"
    assert discovery["properties"]["product:type"].startswith("S03")
    for expected in samples.glob("s3/sen3_headers/**/*.json"):
        item = json.loads(expected.read_text())
        if item.get("id") == discovery["id"]:
            np.testing.assert_allclose(discovery["bbox"], item["bbox"], atol=1e-3)


@pytest.mark.parametrize("kind", ["OL_1_EFR", "OL_2_LFR", "SL_1_RBT", "SL_2_LST"])
def test_the_manifests_orbit_accuracy_and_meteorology_are_told(samples, kind):
    tree = swath.open_product(next(samples.glob(f"s3/sen3_headers/*{kind}*")))
    told = tree.attrs["other_metadata"]
    start, stop = (told["ephemeris"][end] for end in ("start", "stop"))
    for state in (start, stop):
        # At a node: on the equator, about 807 km above it, going north.
        radius = np.hypot(state["position"]["x"], state["position"]["y"])
        assert radius == pytest.approx(7.185e6, rel=1e-3)
        assert abs(state["position"]["z"]) < 1
        assert state["velocity"]["z"] == pytest.approx(7366, abs=1)
    between = np.datetime64(stop["UTC"].rstrip("Z")) - np.datetime64(start["UTC"].rstrip("Z"))
    assert between / np.timedelta64(1, "s") == pytest.approx(6059, abs=1)  # 385 orbits in 27 days
    tai = np.datetime64(start["TAI"]) - np.datetime64(start["UTC"].rstrip("Z"))
    assert tai / np.timedelta64(1, "s") == 37
    assert told["meteo"]["source"] == "ECMWF"
    assert told["relative_pass_number"] <= 2 * 385
    if kind.startswith("SL"):
        assert set(told["band_description"]) == {f"s{k}" for k in range(1, 10)}
    else:
        assert told["data_information"]["earth_sun_distance"] == pytest.approx(1.496e11, rel=0.02)


def test_a_number_in_the_manifest_that_is_none_is_told(samples, tmp_path):
    source = next(samples.glob("s3/sen3_headers/*OL_1_EFR*"))
    folder = tmp_path / source.name
    folder.mkdir()
    text = (source / "xfdumanifest.xml").read_text()
    (folder / "xfdumanifest.xml").write_text(text.replace(">148919786154<", ">near<"))
    with pytest.raises(MetadataError, match="earthSunDistance is 'near'"):
        swath.open_product(folder)


def test_single_numbers_of_slstr_become_attributes_where_eopf_shall_judge(small_rbt, tmp_path):
    tree = swath.open_product(small_rbt)
    tree["conditions/time_an/pixsync_a"] = xr.DataArray(81.74)
    tree["conditions/processing/inadir/l0_scan_offset"] = xr.DataArray(np.int32(7))
    swath.write_product(tree, tmp_path / "p.zarr", extras=False)
    found = swath.open_product(tmp_path / "p.zarr")
    told = found.attrs["other_metadata"]
    assert told["pixel_time_sampling_interval_along_scan_a_in_microseconds"] == 81.74
    assert told["L0_offset_between_scan_index_and_ISP_scan_count_in"] == 7
    assert "l0_scan_offset" not in found["conditions/processing/inadir"].variables
    swath.write_product(tree, tmp_path / "whole.zarr")
    assert float(swath.open_product(tmp_path / "whole.zarr")["conditions/time_an/pixsync_a"]) == 81.74


def test_a_platform_that_is_yet_to_fly_is_read(samples, efr, tmp_path):
    folder = shutil.copytree(efr, tmp_path / EFR)
    manifest = folder / "xfdumanifest.xml"
    manifest.write_text(
        manifest.read_text().replace("<sentinel3:productName>S3A_", "<sentinel3:productName>S3D_")
    )
    assert swath.open_product(folder).attrs["stac_discovery"]["properties"]["platform"] == "sentinel-3d"


def test_files_that_are_not_there_are_told(efr):
    told = swath.open_product(efr).attrs["other_metadata"]["missing_files"]
    assert "Oa01_radiance.nc" in told
    assert "qualityFlags.nc" not in told


def test_a_chunk_costs_what_was_said_and_one_request(efr):
    flags = swath.open_product(efr)["quality/quality_flags"]
    source = swath.chunk_source(flags)
    assert (source.chunk_shape, flags.chunks[0]) == ((819, 973), (819, 819, 819, 819, 815))
    planned = source.chunk_bytes(2, 3)
    with metering.reading() as read:
        flags.data.blocks[2, 3].compute(scheduler="synchronous")
    assert read.counts == metering.Counts(bytes=planned, requests=1, chunks=1)


def test_the_zip_reads_as_the_directory_and_goes_to_other_processes(small_efr, tmp_path):
    with zipfile.ZipFile(tmp_path / "p.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in small_efr.iterdir():
            archive.write(path, f"{EFR}/{path.name}")
    again = swath.open_product(tmp_path / "p.zip")
    xr.testing.assert_identical(again.load(), swath.open_product(small_efr).load())
    array = swath.open_product(tmp_path / "p.zip")["measurements/oa05_radiance"]
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(array)).values, array.values)


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_converted_to_zarr_it_is_the_same(small_efr, tmp_path, zarr_format):
    tree = swath.open_product(small_efr)
    swath.write_product(tree, tmp_path / "p.zarr", zarr_format=zarr_format)
    again = swath.open_product(tmp_path / "p.zarr")
    for node in tree.subtree:
        for name, expected in node.variables.items():
            np.testing.assert_array_equal(again[node.path].variables[name].values, expected.values)
    stored = again["measurements/oa01_radiance"].encoding
    assert stored["dtype"] == np.uint16


def test_a_truncated_file_is_told(efr, tmp_path):
    folder = shutil.copytree(efr, tmp_path / EFR)
    flags = folder / "qualityFlags.nc"
    flags.write_bytes(flags.read_bytes()[:900_000])
    with pytest.raises(ProductError, match=r"qualityFlags.nc is (corrupt or )?truncated"):
        swath.product.check_sources(swath.open_product(folder))


@pytest.mark.parametrize(
    ("pattern", "text", "told"),
    [
        ("OL_1_EFR___", "OL_1_XXX___", "type OL_1_XXX, which is not read here"),
        ("<sentinel3:productName>.*?<", "<sentinel3:productName>holiday<", "expected a name like"),
        ("<gml:posList>.*?</", "<gml:posList>north</", "no list of numbers"),
        ('href="./Oa01_radiance.nc"', 'href="../../etc/passwd"', "leads out of the product"),
        ("<sentinel-safe:startTime>.*?</", "<sentinel-safe:startTime>noon</", "expected a time like"),
        ("<xfdu:XFDU", "<!DOCTYPE a><xfdu:XFDU", "document type declaration"),
    ],
)
def test_a_manifest_that_cannot_be_trusted_is_refused(efr, tmp_path, pattern, text, told):
    folder = shutil.copytree(efr, tmp_path / EFR)
    manifest = folder / "xfdumanifest.xml"
    old = manifest.read_text()
    new = re.sub(pattern, text, old, flags=re.DOTALL)
    assert new != old
    manifest.write_text(new)
    with pytest.raises((MetadataError, ProductError), match=told):
        swath.open_product(folder)
