"""Packets for tests: the real ones with other counters, and made ones of every code that there is."""

from __future__ import annotations

import numpy as np
from swath.io.isp import FIELDS
from swath.io.isp._tables import HUFFMAN

BLOCK = 128


def with_fields(packet: bytes, **fields: int) -> bytes:
    """Return a packet with other header fields."""
    number = int.from_bytes(packet[:68], "big")
    for name, value in fields.items():
        field = FIELDS[name]
        shift = 68 * 8 - field.start - field.bits
        number = number & ~(((1 << field.bits) - 1) << shift) | value << shift
    return number.to_bytes(68, "big") + packet[68:]


def packet(header: bytes, user_data: bytes, *, quads: int, baq_mode: int) -> bytes:
    """Return a packet with a real one's header and other user data."""
    user_data += bytes(-(len(user_data) + 68) % 4)
    return with_fields(
        header[:68] + user_data,
        baq_mode=baq_mode,
        radar_sample_count_service=quads,
        packet_data_length=len(user_data) + 61,
    )


def as_bytes(bits: str) -> bytes:
    """Return bits as bytes, filled up to a word of 16 bits."""
    bits += "0" * (-len(bits) % 16)
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def fdbaq(generator: np.random.Generator, quads: int, *, first_threshold: int, first_rate: int) -> bytes:
    """Return user data of type D: blocks of all rates and thresholds in turn, any codes."""
    blocks = range(-(-quads // BLOCK))
    thresholds = [(first_threshold + b) % 256 for b in blocks]
    rates = [(first_rate + b) % 5 for b in blocks]
    channels = []
    for channel in range(4):
        bits = ""
        for b in blocks:
            codes = HUFFMAN[rates[b]]
            bits += format(rates[b], "03b") if channel == 0 else ""
            bits += format(thresholds[b], "08b") if channel == 2 else ""
            for magnitude in generator.integers(0, len(codes), min(BLOCK, quads - b * BLOCK)):
                bits += str(generator.integers(2)) + codes[magnitude]
        channels.append(as_bytes(bits))
    return b"".join(channels)


def fixed(generator: np.random.Generator, quads: int, bits: int) -> bytes:
    """Return user data of codes of fixed length, with thresholds where there are fewer than ten bits."""
    channels = []
    for channel in range(4):
        text = ""
        for b in range(-(-quads // BLOCK)):
            text += format(b % 256, "08b") if channel == 2 and bits < 10 else ""
            size = min(BLOCK, quads - b * BLOCK)
            text += "".join(format(code, f"0{bits}b") for code in generator.integers(0, 1 << bits, size))
        channels.append(as_bytes(text))
    return b"".join(channels)


def made_packets(header: bytes) -> dict[str, list[bytes]]:
    """Return packets of each way of coding; every bit rate meets every threshold, every magnitude occurs."""
    generator = np.random.default_rng(20200615)
    many = 256 * BLOCK + 77
    quads = 52 * BLOCK + 5
    made = {
        "fdbaq": [
            packet(header, user_data, quads=quads, baq_mode=12)
            for rate in range(5)
            for threshold in range(0, 256, 52)
            for user_data in [fdbaq(generator, quads, first_threshold=threshold, first_rate=rate)]
        ]
    }
    for mode in (3, 4, 5):
        made[f"baq{mode}"] = [
            packet(header, fixed(generator, many // 2, mode), quads=many // 2, baq_mode=mode)
        ]
    made["bypass"] = [packet(header, fixed(generator, 4001, 10), quads=4001, baq_mode=0)]
    return made
