"""SLC and GRD: what is read agrees with other readings of the same files, and with eopf's conversion."""

import pickle
import shutil
import zipfile
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
from swath.io import metering

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

PREFIX = "S01SIWSLC_20210401T052622_0028_B168_EFA4_032297"
IW1 = f"/{PREFIX}_VH_IW1_1"


@pytest.fixture(scope="module")
def tree(slc) -> xr.DataTree:
    return swath.open_product(slc)


@pytest.fixture(scope="module")
def grd_tree(grd) -> xr.DataTree:
    return next(iter(swath.open_product(grd).children.values()))


def annotation(safe, part="iw1-slc-vh"):
    return ET.parse(next(safe.glob(f"annotation/*{part}*.xml"))).getroot()


OTHERWISE = {
    # eopf 2.8.1 gives the last line of a burst the time of the first one after it.
    "measurements": {"azimuth_time"},
    "conditions/burst_info": {"azimuth_time"},
    # It gives all images the times of the first one, tells times as truth values, and labels the constant
    # term as that of the highest degree.
    "conditions/doppler_centroid": {
        "azimuth_time",
        "fine_dce_azimuth_start_time",
        "fine_dce_azimuth_stop_time",
        "degree",
    },
    # It spreads times evenly over the lines of all bursts; here they are those of the first column.
    "conditions/gcp": {"azimuth_time"},
}
"""What differs on purpose."""


@pytest.mark.parametrize("part", ["VH_IW1_0", "VH_IW1_4", "VH_IW2_1"])
def test_arrays_are_those_of_eopf(tree, converted, part):
    theirs = xr.open_datatree(next(converted.glob(f"*_{part}")), engine="zarr", chunks={})
    ours = tree[f"/{PREFIX}_{part}"]
    compared = 0
    for node in theirs.subtree:
        path = node.path.strip("/")
        for name in set(node.to_dataset(inherit=False).variables) - OTHERWISE.get(path, set()):
            expected, found = node[name], ours[path][name]
            assert found.dims == expected.dims, (path, name)
            assert found.dtype == expected.dtype or name in ("count",), (
                path,
                name,
                found.dtype,
                expected.dtype,
            )
            if name == "slc":
                expected, found = expected[:40], found[:40]
            if found.dtype.kind == "M":
                # eopf rounds to some hundreds of nanoseconds on the way through floating point numbers.
                assert np.abs(found.values - expected.values).max() <= np.timedelta64(1, "us"), (path, name)
            elif name == "slant_range_time":  # computed: alike but for the last bit
                np.testing.assert_allclose(found.values, expected.values, rtol=3e-16)
            elif path.startswith("conditions/") and found.dtype.kind == "f":  # eopf rounds these
                np.testing.assert_array_equal(
                    found.values.astype("f4"), expected.values.astype("f4"), err_msg=f"{path}/{name}"
                )
            else:
                np.testing.assert_array_equal(found.values, expected.values, err_msg=f"{path}/{name}")
            compared += 1
    assert compared > 60


def test_pixels_are_those_of_gdal(tree, slc):
    for part in ("iw1-slc-vh", "iw1-slc-vv", "iw2-slc-vh"):
        swathe, polarisation = part[:3].upper(), part[-2:].upper()
        burst = tree[f"/{PREFIX}_{polarisation}_{swathe}_3/measurements/slc"]
        lines = burst.sizes["azimuth_time"]
        with rasterio.open(next(slc.glob(f"measurement/*{part}*.tiff"))) as file:
            window = rasterio.windows.Window(0, 3 * lines, file.width, 200)
            expected = file.read(1, window=window)
        np.testing.assert_array_equal(burst[:200].values, expected)


def test_images_and_bursts_are_all_there(tree):
    names = [name.removeprefix(f"{PREFIX}_") for name in tree.children]
    bursts = [f"{image}_{k}" for image in ("VH_IW1", "VH_IW2", "VV_IW1") for k in range(10)]
    assert set(names) == set(bursts) - {"VH_IW1_9", "VV_IW1_9"}
    assert tree[f"/{PREFIX}_VH_IW2_9/measurements/slc"].shape == (1513, 25508)


def test_lines_have_the_times_of_their_burst(tree, slc):
    root = annotation(slc)
    step = float(root.findtext(".//azimuthTimeInterval"))
    for k, burst in enumerate(root.iterfind("swathTiming/burstList/burst")):
        measured = tree[f"/{PREFIX}_VH_IW1_{k}/measurements"]
        start = np.datetime64(burst.findtext("azimuthTime"), "ns")
        assert measured.azimuth_time.values[0] == start
        last = (measured.azimuth_time.values[-1] - start) / np.timedelta64(1, "ns")
        assert last == pytest.approx(1500 * step * 1e9, abs=1)
        assert measured.line.values[[0, -1]].tolist() == [1501 * k, 1501 * k + 1500]
        info = tree[f"/{PREFIX}_VH_IW1_{k}/conditions/burst_info"]
        for which in ("first", "last"):
            expected = [int(v) for v in burst.findtext(f"{which}ValidSample").split()]
            assert info[f"{which}_valid_sample"].values.tolist() == expected


def test_the_fm_rate_and_the_antenna_pattern_are_read(tree, slc):
    root = annotation(slc)
    rate = tree[f"{IW1}/conditions/azimuth_fm_rate"]
    told = [[float(c) for c in p.text.split()] for p in root.iterfind(".//azimuthFmRatePolynomial")]
    np.testing.assert_array_equal(rate.azimuth_fm_rate_polynomial, told)
    pattern = tree[f"{IW1}/conditions/antenna_pattern/elevation_pattern"]
    told = [[float(c) for c in p.text.split()] for p in root.iterfind(".//elevationPattern")]
    np.testing.assert_array_equal(pattern.values.view(np.float32), np.array(told, np.float32))


def test_doppler_polynomials_start_with_the_constant(tree, slc):
    doppler = tree[f"{IW1}/conditions/doppler_centroid"]
    first = annotation(slc).find("dopplerCentroid/dcEstimateList/dcEstimate")
    constant = np.float32(first.findtext("dataDcPolynomial").split()[0])
    assert doppler.data_dc_polynomial.sel(degree=0).values[0] == constant
    assert doppler.fine_dce_azimuth_start_time.dtype == "datetime64[ns]"


def test_the_root_is_a_stac_item_whatever_the_folder_is_called(tree, slc_copy):
    discovery = tree.attrs["stac_discovery"]
    assert discovery["id"] == "S1B_IW_SLC__1SDV_20210401T052622_20210401T052650_026269_032297_EFA4"
    renamed = swath.open_product(slc_copy.rename(slc_copy.parent / "renamed"))
    assert renamed.attrs["stac_discovery"]["id"] == discovery["id"]
    properties = discovery["properties"]
    assert properties["platform"] == "sentinel-1b"
    assert properties["product:type"] == "S01SIWSLC"
    assert properties["datetime"] == "2021-04-01T05:26:36.361411Z"
    assert properties["sar:polarizations"] == ["VV", "VH"]
    assert (properties["sat:absolute_orbit"], properties["sat:relative_orbit"]) == (26269, 168)
    assert properties["product:timeliness_category"] == "NRT-3h"
    assert list(discovery["assets"]) == sorted(tree.children)


def test_bursts_tell_what_they_are(tree):
    attributes = tree[IW1].attrs
    properties = attributes["stac_discovery"]["properties"]
    assert properties["start_datetime"] == "2021-04-01T05:26:26.966491Z"
    assert properties["sar:beam_ids"] == ["IW1"]
    other = attributes["other_metadata"]
    assert (other["burst_id"], other["burst_index"], other["image_number"]) == ("1", 1, 1)
    assert other["image_annotation"]["processing_information"]["orbit_source"] == "Downlink"
    assert other["general_annotation"]["product_information"]["radar_frequency"] == 5405000454.33435


def test_bursts_of_later_schemas_have_their_identifiers(new_slc):
    tree = swath.open_product(new_slc)
    assert [name.rpartition("_")[2] for name in tree.children][:3] == ["249402", "249403", "249404"]
    burst = next(iter(tree.children.values()))
    assert "noise_range" not in burst["quality"].children
    assert burst["quality/calibration/sigma_nought"].dtype == np.float32


def test_an_unknown_satellite_is_read(slc_copy, change):
    change(slc_copy / "manifest.safe", "<safe:number>B<", "<safe:number>C<")
    discovery = swath.open_product(slc_copy).attrs["stac_discovery"]
    assert discovery["properties"]["platform"] == "sentinel-1c"
    assert discovery["id"].startswith("S1C_IW_SLC__1SDV_")


def test_opening_reads_no_pixels(slc_copy):
    metadata = (
        sum(p.stat().st_size for p in slc_copy.rglob("*.xml"))
        + 2 * (slc_copy / "manifest.safe").stat().st_size
    )
    with metering.reading() as read:
        swath.open_product(slc_copy)
    directory = 13509 * 8 + 4096  # offsets and sizes of the strips
    assert read.counts.chunks == 0
    assert read.counts.bytes <= metadata + directory


def test_a_chunk_costs_what_was_planned(tree):
    array = tree[f"{IW1}/measurements/slc"]
    source = swath.chunk_source(array)
    assert source.shape == (1501, 21632)
    assert 8 * source.chunk_shape[0] * source.chunk_shape[1] <= 16 << 20
    planned = source.chunk_bytes(2, 0)
    with metering.reading() as read:
        array.data.blocks[2, 0].compute(scheduler="synchronous")
    assert read.counts.chunks == 1
    assert read.counts.bytes == planned


def test_the_zip_reads_as_the_directory(slc_copy, tmp_path):
    with zipfile.ZipFile(tmp_path / "slc.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(slc_copy.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(slc_copy.parent))
    zipped, plain = swath.open_product(tmp_path / "slc.zip"), swath.open_product(slc_copy)
    one = f"/{PREFIX}_VV_IW1_2"
    assert zipped.attrs == plain.attrs
    np.testing.assert_array_equal(
        zipped[f"{one}/measurements/slc"][:50].values, plain[f"{one}/measurements/slc"][:50].values
    )
    for path in ("conditions/gcp", "quality/calibration", "quality/noise_range"):
        xr.testing.assert_identical(zipped[f"{one}/{path}"].to_dataset(), plain[f"{one}/{path}"].to_dataset())


def test_lines_can_be_sent_to_another_process(tree):
    array = tree[f"{IW1}/measurements/slc"][:10, :100]
    xr.testing.assert_identical(pickle.loads(pickle.dumps(array)).compute(), array.compute())


def test_a_burst_that_is_written_is_read_again(tree, tmp_path):
    small = tree[IW1].copy()
    measured = (
        small["measurements"].to_dataset().isel(azimuth_time=slice(0, 97), slant_range_time=slice(0, 500))
    )
    small["measurements"] = xr.DataTree(measured.chunk(azimuth_time=50))
    root = xr.DataTree.from_dict({"/": xr.Dataset(attrs=tree.attrs), "/burst": small})
    swath.write_product(root, tmp_path / "burst.zarr")
    again = swath.open_product(tmp_path / "burst.zarr")["burst"]
    for node in small.subtree:
        path = node.relative_to(small)
        for name, expected in node.to_dataset(inherit=False).variables.items():
            np.testing.assert_array_equal(again[path][name].values, expected.values, err_msg=f"{path}/{name}")


def test_ground_range_pixels_and_points_are_those_of_gdal(grd_tree, grd):
    with rasterio.open(next(grd.glob("measurement/*.tiff"))) as file:
        np.testing.assert_array_equal(grd_tree["measurements/grd"].values, file.read(1))
        points = file.gcps[0]
    ties = grd_tree["conditions/tie_points"]
    found = list(
        zip(ties.column.values, ties.row.values, ties.longitude.values, ties.latitude.values, strict=True)
    )
    assert found == [(p.col, p.row, p.x, p.y) for p in points]


def test_ground_range_products_have_their_own_names_and_axes(grd, grd_tree):
    tree = swath.open_product(grd)
    assert (
        tree.attrs["stac_discovery"]["id"]
        == "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8"
    )
    assert grd_tree.name == "S01SIWGRD_20210809T173953_0025_A059_6FF8_049F13_VV"
    measured = grd_tree["measurements"]
    assert measured["grd"].dims == ("azimuth_time", "ground_range")
    assert measured.ground_range.values[[0, -1]].tolist() == [0.0, 261430.0]
    assert str(measured.azimuth_time.values[0]) == "2021-08-09T17:39:53.153776000"


def test_ground_range_conversions_and_noise_are_read(grd, grd_tree):
    root = annotation(grd, "iw-grd-vv")
    conversion = grd_tree["conditions/coordinate_conversion"]
    told = [[float(c) for c in p.text.split()] for p in root.iterfind(".//grsrCoefficients")]
    np.testing.assert_array_equal(conversion.grsr_coefficients, told)
    noise = ET.parse(next(grd.glob("annotation/calibration/noise*.xml"))).getroot()
    for vector in noise.iter("noiseAzimuthVector"):
        found = grd_tree[f"quality/noise_azimuth/{vector.findtext('swath')}"]
        told = np.array(vector.findtext("noiseAzimuthLut").split(), np.float32)
        np.testing.assert_array_equal(found.noise_azimuth_lut, told)
        assert int(found.first_range_sample) == int(vector.findtext("firstRangeSample"))
    line = found.isel(azimuth_time=3)
    seconds = (line.azimuth_time.values - np.datetime64("2021-08-09T17:39:53.153776", "ns")) / np.timedelta64(
        1, "s"
    )
    assert seconds == pytest.approx(30 * 1.499191837510891e-3, abs=1e-8)


def test_noise_of_the_first_products_is_read(grd, tmp_path, change):
    """Before IPF 2.9 there were range vectors alone, under other names."""
    safe = shutil.copytree(grd, tmp_path / grd.name)
    noise = next(safe.glob("annotation/calibration/noise*.xml"))
    change(noise, "<noiseAzimuthVectorList.*</noiseAzimuthVectorList>", "")
    for new, old in (("noiseRangeVectorList", "noiseVectorList"), ("noiseRangeVector>", "noiseVector>"),
                     ("noiseRangeLut", "noiseLut")):  # fmt: skip
        change(noise, new, old)
    old_tree = next(iter(swath.open_product(safe).children.values()))
    new_tree = next(iter(swath.open_product(grd).children.values()))
    np.testing.assert_array_equal(
        old_tree["quality/noise_range/noise_range_lut"], new_tree["quality/noise_range/noise_range_lut"]
    )
    assert "noise_azimuth" not in old_tree["quality"].children


def test_vectors_of_other_lengths_are_brought_together(grd, tmp_path, change):
    """A vector is linear between its pixels, so no number changes where another vector has more of them."""
    safe = shutil.copytree(grd, tmp_path / grd.name)
    noise = next(safe.glob("annotation/calibration/noise*.xml"))
    before = next(iter(swath.open_product(grd).children.values()))["quality/noise_range/noise_range_lut"]
    change(noise, r'<pixel count="657">0 40 80 ', '<pixel count="656">0 80 ')
    change(noise, r'(<noiseRangeLut count=")657(">\S+) \S+ ', r"\g<1>656\2 ")
    text = noise.read_text()
    assert text.count('count="656"') == 2 * before.sizes["azimuth_time"]
    # All but the first vector get their second pixel back.
    original = next(grd.glob("annotation/calibration/noise*.xml")).read_text()
    cut = text.index("</noiseRangeVector>")
    noise.write_text(text[:cut] + original[original.index("</noiseRangeVector>") :])
    after = next(iter(swath.open_product(safe).children.values()))["quality/noise_range/noise_range_lut"]
    assert after.shape == before.shape
    np.testing.assert_array_equal(after[1:], before[1:])
    np.testing.assert_array_equal(after[0, 2:], before[0, 2:])
    assert after[0, 1] == pytest.approx(float((before[0, 0] + before[0, 2]) / 2), rel=1e-6)


@pytest.mark.parametrize(
    ("mode", "swathe", "name"),
    [
        ("SM", "S3", "S01SSMSLC_20210401T052622_0028_B168_{}_032297_VV"),
        ("WV", "WV2", "S01SWVSLC_20210401T052622_0028_B168_{}_032297_VV_WV2_004"),
    ],
)
def test_images_without_bursts_are_whole(slc_copy, change, mode, swathe, name):
    """No strip map or wave mode product was at hand: one of TOPS is made to look like it."""
    change(slc_copy / "manifest.safe", ":mode>IW<", f":mode>{mode}<")
    change(slc_copy / "manifest.safe", "(<[^<>]*:swath>)IW1<", rf"\g<1>{swathe}<")
    file = next(slc_copy.glob("annotation/*.xml"))
    change(file, "<linesPerBurst>.*</burstList>", '<linesPerBurst>0</linesPerBurst><burstList count="0"/>')
    change(file, "<swath>IW1</swath>", f"<swath>{swathe}</swath>")
    tree = swath.open_product(slc_copy)
    identifier = tree.attrs["stac_discovery"]["id"]
    assert identifier.startswith(f"S1B_{swathe if mode == 'SM' else 'WV'}_SLC__1SDV_")
    (image,) = tree.children.values()
    assert image.name == name.format(identifier[-4:])
    measured = image["measurements"]
    assert measured["slc"].shape == (13509, 21632)
    step = float(annotation(slc_copy, "iw1-slc-vv").findtext(".//azimuthTimeInterval"))
    seconds = (measured.azimuth_time.values[-1] - measured.azimuth_time.values[0]) / np.timedelta64(1, "s")
    assert seconds == pytest.approx(13508 * step, abs=1e-8)
    assert "burst_info" not in image["conditions"].children
