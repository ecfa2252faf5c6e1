"""Samples: equal to what ESA's reference decoder and another decoder make of the same packets."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import isp_packets as made
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.io import metering
from swath.io.isp import PacketError, Packets, decode_packets, scan_packets
from swath.io.store import open_store

REFERENCES = json.loads((Path(__file__).parent / "references.json").read_text())["sha256"]
"""Hashes of the samples by sentinel1decoder 2.1.0; ``made/make_isp_references.py`` made them."""


def digest(samples: np.ndarray) -> str:
    """Return the hash of samples; a zero has no sign here."""
    return hashlib.sha256((samples + np.complex64(0)).tobytes()).hexdigest()


@pytest.mark.parametrize(("kind", "name"), [("noise", "000000-noise"), ("txcal", "000008-txcal")])
def test_samples_are_those_of_esa_s_decoder(samples, real_packets, scan, kind, name):
    expected = np.load(samples / "s1/l0" / f"{name}.ref_iq_complex64.npy")
    decoded = decode_packets(scan(real_packets[kind]))
    assert decoded.shape == (1, len(expected))
    np.testing.assert_allclose(decoded[0], expected, rtol=0, atol=3e-6)


def test_the_real_echo_is_that_of_another_decoder(real_packets, scan):
    assert digest(decode_packets(scan(real_packets["echo"]))[0]) == REFERENCES["echo"][0]


@pytest.mark.parametrize("kind", ["fdbaq", "baq3", "baq4", "baq5", "bypass"])
def test_every_code_is_that_of_another_decoder(real_packets, scan, kind):
    packets = made.made_packets(real_packets["echo"])[kind]
    assert [digest(row) for row in decode_packets(scan(*packets))] == REFERENCES[kind]


def test_packets_of_all_kinds_are_decoded_together(real_packets, scan):
    kinds = ["echo", "txcal", "noise", "txcal", "echo"]
    together = decode_packets(scan(*(real_packets[kind] for kind in kinds)))
    for row, kind in zip(together, kinds, strict=True):
        alone = decode_packets(scan(real_packets[kind]))[0]
        np.testing.assert_array_equal(row[: len(alone)], alone)
        assert np.isnan(row[len(alone) :].real).all()
        assert np.isnan(row[len(alone) :].imag).all()


def test_chosen_packets_cost_what_lies_between_them_at_most(real_packets, scan):
    packets = scan(*([real_packets["echo"]] * 200))
    with metering.reading() as read:
        decode_packets(packets[10:12])
    assert read.counts == metering.Counts(bytes=2 * len(real_packets["echo"]), requests=1)
    with metering.reading() as read:
        few = decode_packets(packets[np.array([0, 199])])
    assert read.counts == metering.Counts(bytes=2 * len(real_packets["echo"]), requests=2)
    assert digest(few[1]) == REFERENCES["echo"][0]


def test_no_packets_are_no_samples(scan):
    assert decode_packets(scan(b"")).shape == (0, 0)


@pytest.mark.parametrize(
    ("kind", "fields", "told"),
    [
        ("echo", {"radar_sample_count_service": 65535}, "has a bit rate code above 4"),
        (
            "noise",
            {"radar_sample_count_service": 65535},
            "has 27036 bytes of user data, but its 65535 quads need",
        ),
        (
            "txcal",
            {"radar_sample_count_service": 1600},
            "has 7592 bytes of user data, but its 1600 quads need 8000",
        ),
        ("echo", {"baq_mode": 7}, "has BAQ mode 7 in test mode 0, expected 0, 3, 4, 5, 12, 13 or 14"),
        ("echo", {"test_mode": 7}, "has BAQ mode 12 in test mode 7"),
    ],
)
def test_user_data_that_is_not_what_the_header_says(real_packets, scan, kind, fields, told):
    packets = scan(real_packets["echo"], made.with_fields(real_packets[kind], **fields))
    with pytest.raises(PacketError, match=rf"packet 1 at byte 15664 {told}"):
        decode_packets(packets)


def test_an_echo_that_is_cut(real_packets, scan):
    cut = made.with_fields(real_packets["echo"][:12000], packet_data_length=12000 - 7)
    with pytest.raises(PacketError, match="packet 0 at byte 0 ends before all its quads are decoded"):
        decode_packets(scan(cut))


def test_a_bit_rate_that_does_not_exist(real_packets, scan):
    packet = bytearray(real_packets["echo"])
    packet[68] |= 0xE0
    with pytest.raises(PacketError, match="bit rate code above 4"):
        decode_packets(scan(bytes(packet)))


def test_without_the_compiler_the_extra_is_named(real_packets, tmp_path):
    (tmp_path / "packets.dat").write_bytes(real_packets["echo"])
    code = (
        "import sys; sys.modules['numba'] = None\n"
        "from swath.io.isp import decode_packets, scan_packets\n"
        "from swath.io.store import open_store\n"
        f"packets = scan_packets(open_store({str(tmp_path)!r}), 'packets.dat')\n"
        "print(len(packets))\n"
        "try:\n    decode_packets(packets)\n"
        "except Exception as error:\n    print(type(error).__name__, error)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told.startswith("1\nInputError")
    assert "swath[compiled]" in told


@pytest.fixture(scope="module")
def stream(real_packets) -> bytes:
    return real_packets["echo"] + real_packets["txcal"] + real_packets["noise"]


@given(
    flips=st.lists(st.integers(0, 8 * 50428 - 1), max_size=12),
    headers=st.lists(st.tuples(st.sampled_from([0, 15664, 23324]), st.integers(0, 543)), max_size=4),
    length=st.integers(0, 50428),
)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_broken_packets_are_decoded_or_refused(stream, tmp_path, flips, headers, length):
    """Any bits flipped, any place cut: samples of a bounded number, or the error that names the packet."""
    data = bytearray(stream)
    for bit in flips + [8 * start + bit for start, bit in headers]:
        data[bit // 8] ^= 1 << bit % 8
    (tmp_path / "packets.dat").write_bytes(data[:length] if length < 40000 else data)
    try:
        packets: Packets = scan_packets(open_store(tmp_path), "packets.dat")
        decoded = decode_packets(packets)
    except PacketError:
        return
    assert decoded.shape == (len(packets), 2 * packets.quads.max(initial=0))
    for row, quads in zip(decoded, packets.quads, strict=True):
        assert np.isfinite(row[: 2 * quads].view(np.float32)).all()
