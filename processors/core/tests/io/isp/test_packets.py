"""Headers of packets: their fields, and files that are not what they should be."""

import json

import isp_packets as made
import numpy as np
import pytest
from swath.errors import ProductError
from swath.io import metering
from swath.io.isp import FIELDS, HEADER_BYTES, PacketError
from swath.io.store import open_store


def flat(values: dict, found: dict) -> dict:
    for name, value in values.items():
        if isinstance(value, dict) and "value" in value:
            found[name] = value["value"]
        elif isinstance(value, dict):
            flat(value, found)
        else:
            found[name] = value
    return found


OWN_NAMES = {
    "packet_version_number": "packet_version",
    "secondary_header_flag": "header_flag",
    "pcat": "packet_category",
    "sequence_flags": "sequence_flag",
    "sync_marker": "synchronisation_marker",
    "data_take_id": "datatake_id",
    "ecc_num": "ecc_number",
    "data_word_index": "sub_commutated_ancillary_data_word_index",
    "pri_count": "mode_pri_count",
    "tx_ramp_rate": "tx_pulse_ramp_rate",
    "tx_pulse_start_freq": "tx_pulse_start_frequency",
    "pri": "pulse_repetition_interval",
    "swst": "sampling_window_start_time",
    "swl": "sampling_window_length",
    "ssb_flag": "ssbflag",
    "polarization": "polarisation",
    "_dynamic_data": "elevation_beam_address",
    "_beam_address": "azimuth_beam_address",
    "cal_mode": "calibration_mode",
    "swap": "swap_flag",
    "number_of_quads": "radar_sample_count_service",
}
"""Fields as another decoder of the headers calls them."""


@pytest.mark.parametrize(("kind", "name"), [("noise", "000000-noise"), ("txcal", "000008-txcal")])
def test_fields_are_those_that_another_decoder_finds(samples, real_packets, scan, kind, name):
    told = flat(json.loads((samples / "s1/l0" / f"{name}.ref_header.json").read_text()), {})
    word = int(told.pop("data_word"), 16)
    pid = told.pop("pid")
    packets = scan(real_packets[kind])
    for other, value in told.items():
        assert packets.field(OWN_NAMES.get(other, other)).tolist() == [int(value)], other
    assert packets.field("sub_commutated_ancillary_data_word")[0] == word
    assert packets.field("application_process_identifier")[0] == pid << 4 | told["pcat"]
    assert len(told) + 2 == len(FIELDS)


def test_each_field_has_its_own_bits(real_packets, scan):
    """Every field set to all ones, alone, is read so, and changes no other."""
    plain = scan(real_packets["txcal"])
    for name, field in FIELDS.items():
        top = (1 << field.bits) - 1
        changed = made.with_fields(real_packets["txcal"], **{name: top})[:HEADER_BYTES]
        raw = np.frombuffer(changed, np.uint8)[None]
        packets = type(plain)(plain.store, plain.name, plain.numbers, plain.starts, raw)
        assert packets.field(name)[0] == top
        assert packets.field(name).dtype.itemsize * 8 >= field.bits
        overlapping = {"application_process_identifier", "packet_category"}
        for other in set(FIELDS) - {name} - (overlapping if name in overlapping else set()):
            assert packets.field(other)[0] == plain.field(other)[0], (name, other)


def test_many_packets_are_found_by_their_headers_alone(real_packets, scan):
    order = ["echo", "noise", "echo", "txcal"] * 5
    with metering.reading() as read:
        packets = scan(*(real_packets[kind] for kind in order))
    assert [int(s) for s in packets.sizes] == [len(real_packets[kind]) for kind in order]
    assert packets.starts.tolist() == np.cumsum([0, *packets.sizes])[:-1].tolist()
    assert read.counts.bytes == HEADER_BYTES * len(order)


def test_a_zip_is_scanned_too(real_packets, scan, tmp_path):
    import zipfile

    packets = scan(*real_packets.values())
    with zipfile.ZipFile(tmp_path / "packets.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(tmp_path / "packets.dat", "packets.dat")
    from swath.io.isp import scan_packets

    zipped = scan_packets(open_store(tmp_path / "packets.zip"), "packets.dat")
    np.testing.assert_array_equal(zipped.headers, packets.headers)
    np.testing.assert_array_equal(zipped.starts, packets.starts)


def test_an_empty_file_has_no_packets(scan):
    assert len(scan(b"")) == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda p: p[:-1], r"packet 1 at byte 15664 claims 7660 bytes, but the file has 7659 more"),
        (lambda p: p[:50], r"packet 1 at byte 15664 is cut within its header \(50 of 68 bytes\)"),
        (lambda p: p + b"\0", r"packet 2 at byte 23324 is cut within its header \(1 of 68 bytes\)"),
        (lambda p: made.with_fields(p, synchronisation_marker=7), r"marker 0x7, expected 0x352ef853"),
        (lambda p: made.with_fields(p, packet_version=5), r"expected a packet of version 0"),
        (lambda p: made.with_fields(p, header_flag=0), r"with a secondary header"),
        (lambda p: made.with_fields(p, packet_data_length=3), r"claims 10 bytes, its headers alone have 68"),
    ],
)
def test_what_is_no_packet_is_refused(real_packets, scan, change, told):
    with pytest.raises(PacketError, match=told) as caught:
        scan(real_packets["echo"], change(real_packets["txcal"]))
    assert isinstance(caught.value, ProductError)
    assert caught.value.exit_status == 2
