"""Level-0 products: packets by what they hold, headers at once, samples when they are asked for."""

import pickle
import shutil
import zipfile

import dask
import isp_packets
import numpy as np
import pytest
import swath
import xarray as xr
from swath.errors import MetadataError, ProductError
from swath.io import metering
from swath.io.isp import PacketError

VV = "s1a-iw-raw-s-vv-20171213t121623-20171213t121656-019684-021735.dat"


def test_packets_are_grouped_by_signal_and_swath(level0):
    tree = swath.open_product(level0)
    assert {
        path for path in tree.groups if path.startswith("/VV/measurements/") and tree[path].data_vars
    } == {
        "/VV/measurements/echo/S3",
        "/VV/measurements/noise/S3",
        "/VV/measurements/calibration/tx_cal/S3",
    }
    assert tree["/VV/measurements/echo/S3/samples"].shape == (240, 21558)
    assert tree["/VV/measurements/noise/S3"].packet_number.values.tolist() == [0, 1, 2, 3, 4, 248, 249]
    assert tree["/VH/measurements/noise/S3/samples"].shape == (5, 21558)


def test_samples_are_those_of_the_packets(level0, samples):
    tree = swath.open_product(level0)
    noise = np.load(samples / "s1/l0/000000-noise.ref_iq_complex64.npy")
    found = tree["/VV/measurements/noise/S3/samples"].values
    np.testing.assert_allclose(found, np.broadcast_to(noise, (7, 21558)), rtol=0, atol=3e-6)
    echo = tree["/VV/measurements/echo/S3/samples"].values
    np.testing.assert_array_equal(echo, np.broadcast_to(echo[0], echo.shape))


def test_engines_and_chunks_give_the_same(level0):
    echo = swath.open_product(level0)["/VV/measurements/echo/S3/samples"]
    assert echo.data.numblocks[0] > 2
    with dask.config.set(scheduler="synchronous"):
        alone = echo.values
    with dask.config.set(scheduler="threads", num_workers=4):
        np.testing.assert_array_equal(echo.values, alone)
        np.testing.assert_array_equal(echo[100:103, 5:9].values, alone[100:103, 5:9])


def test_opening_reads_no_user_data(level0):
    with metering.reading() as read:
        swath.open_product(level0)
    manifest = (level0 / "manifest.safe").stat().st_size
    assert read.counts.bytes == 2 * manifest + 68 * (250 + 20)
    assert read.counts.chunks == 0


def test_a_chunk_costs_what_was_planned(level0):
    echo = swath.open_product(level0)["/VV/measurements/echo/S3/samples"]
    source = swath.chunk_source(echo)
    planned = source.chunk_bytes(1, 0)
    with metering.reading() as read:
        echo.data.blocks[1, 0].compute(scheduler="synchronous")
    assert read.counts == metering.Counts(bytes=planned, requests=1, chunks=1)
    assert source.chunk_bytes(0, 0) == source.chunk_shape[0] * 15664


def test_headers_are_variables(level0):
    conditions = swath.open_product(level0)["/VV/conditions/echo/S3"]
    assert conditions.space_packet_count.values.tolist() == [*range(7, 127), *range(128, 248)]
    assert set(conditions.baq_mode.values) == {12}
    assert conditions.instrument_configuration_id.dtype == np.uint32
    # 37.53472224 MHz; S1-IF-ASD-PL-0007, section 3.2.5.
    np.testing.assert_allclose(conditions.pulse_repetition_interval_s, 19499 / 37.53472224e6, rtol=1e-15)
    assert conditions.rx_gain_db[0] == -6
    # Up; the value of the reference frame of strip map beam 3, 0.77 MHz/us (about).
    assert conditions.tx_pulse_ramp_rate_hz_per_s[0] == pytest.approx(1.3443e12, rel=1e-3)


def test_times_are_gps_times_with_half_a_step(level0):
    time = swath.open_product(level0)["/VV/conditions/noise/S3"].gps_time
    expected = np.datetime64("1980-01-06T00:00:00", "ns") + np.timedelta64(1276273467, "s")
    fraction = (time[0].values - expected) / np.timedelta64(1, "ns")
    assert fraction == pytest.approx((43887 + 0.5) / 65536 * 1e9, abs=1)
    # 2020-06-15T16:24:09 UTC, when the packets' product starts, is 18 leap seconds less.
    assert str(time.values[0])[:19] == "2020-06-15T16:24:27"


def test_the_root_is_a_stac_item_whatever_the_folder_is_called(level0, tmp_path):
    renamed = shutil.copytree(level0, tmp_path / "renamed")
    discovery = swath.open_product(renamed).attrs["stac_discovery"]
    assert f"{discovery['id']}.SAFE" == level0.name
    properties = discovery["properties"]
    assert properties["platform"] == "sentinel-1a"
    assert properties["product:type"] == "S01SIWRAW"
    assert properties["sar:polarizations"] == ["VH", "VV"]
    assert (properties["sat:absolute_orbit"], properties["sat:relative_orbit"]) == (19684, 12)
    assert properties["datetime"] == "2017-12-13T12:16:39.885162Z"
    assert properties["sat:orbit_state"] == "ascending"


def test_a_zip_reads_as_the_directory(level0, tmp_path):
    with zipfile.ZipFile(tmp_path / "l0.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for file in level0.iterdir():
            archive.write(file, f"{level0.name}/{file.name}")
    xr.testing.assert_identical(swath.open_product(tmp_path / "l0.zip"), swath.open_product(level0))


def test_samples_can_be_sent_to_another_process(level0):
    noise = swath.open_product(level0)["/VV/measurements/noise/S3/samples"]
    xr.testing.assert_identical(pickle.loads(pickle.dumps(noise)).compute(), noise.compute())


def test_what_is_written_is_read_again(level0, tmp_path):
    tree = swath.open_product(level0)
    swath.write_product(tree, tmp_path / "l0.zarr")
    again = swath.open_product(tmp_path / "l0.zarr")
    echo = "/VV/measurements/echo/S3/samples"
    np.testing.assert_array_equal(again[echo].values, tree[echo].values)
    conditions = "/VV/conditions/echo/S3"
    for name in tree[conditions].variables:
        np.testing.assert_array_equal(again[conditions][name].values, tree[conditions][name].values)


def test_a_missing_measurement_is_named(level0_copy):
    (level0_copy / VV).unlink()
    with pytest.raises(ProductError, match=f"missing are {VV}"):
        swath.open_product(level0_copy)


def test_a_truncated_measurement_is_refused_when_it_is_opened(level0_copy):
    file = level0_copy / VV
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(
        PacketError, match=rf"{VV}: packet 249 at byte .* claims 27104 bytes, but the file has 27004"
    ):
        swath.open_product(level0_copy)


def test_a_corrupt_packet_fails_its_chunk_alone(level0_copy, level0_packets):
    packet = bytearray(level0_packets[20])
    packet[68] |= 0xE0
    packets = [*level0_packets[:20], bytes(packet), *level0_packets[21:]]
    (level0_copy / VV).write_bytes(b"".join(packets))
    echo = swath.open_product(level0_copy)["/VV/measurements/echo/S3/samples"]
    assert np.isfinite(echo[200:].values.view(np.float32)).all()
    with pytest.raises(PacketError, match=r"packet 20 at byte .* bit rate code above 4"):
        echo[:20].compute(scheduler="synchronous")


def test_shorter_packets_end_with_nan(level0_copy, real_packets):
    short = isp_packets.packet(
        real_packets["noise"], isp_packets.fixed(np.random.default_rng(1), 1000, 4), quads=1000, baq_mode=4
    )
    (level0_copy / VV).write_bytes(real_packets["noise"] + short)
    noise = swath.open_product(level0_copy)["/VV/measurements/noise/S3/samples"].values
    assert np.isfinite(noise[1, :2000].view(np.float32)).all()
    assert np.isnan(noise[1, 2000:].real).all()


@pytest.mark.parametrize(
    ("pattern", "text", "told"),
    [
        ("<s1sar:mode>IW", "<s1sar:mode>XX", "instrumentMode/mode is 'XX'"),
        ("<number>A", "<number>7", "number is '7'"),
        ("36.7787,86.8273 38", "336.7787,86.8273 38", "no polygon of latitudes and longitudes"),
        ('<orbitNumber type="start">19684', '<orbitNumber type="start">-1', "orbitNumber is '-1'"),
        (r">VV</transmitter", ">VX</transmitter", "expected some of HH, HV, VH, VV"),
    ],
)
def test_a_manifest_that_makes_no_sense(level0_copy, change, pattern, text, told):
    change(level0_copy / "manifest.safe", pattern, text)
    with pytest.raises(MetadataError, match=told):
        swath.open_product(level0_copy)
