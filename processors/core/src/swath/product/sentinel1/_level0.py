"""Opening a level-0 product: packets by what they hold, their headers, and their samples when asked for."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.errors import ProductError
from swath.io.isp import FIELDS, SIGNALS, Packets, decode_packets, ranges, scan_packets
from swath.io.metering import Counts, count
from swath.product._chunks import lazy_array, source_encoding
from swath.product.sentinel1._attributes import common_attributes
from swath.product.sentinel1._manifest import MANIFEST, Manifest, read_kind, read_manifest

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["L0_SAFE", "PacketChunks", "SafeL0Reader"]

CHUNK_BYTES = 16 << 20
"""Most bytes of a chunk of samples, unless one packet has more."""

REFERENCE_FREQUENCY = 37.53472224e6
"""Hz; times of the headers are counted in its periods (S1-IF-ASD-PL-0007, section 3.2.5)."""

GPS_EPOCH = np.datetime64("1980-01-06T00:00:00", "ns")
"""Where the packets' coarse time starts; that time has no leap seconds."""

_STRIP_MAP = ("S1", "S2", "S3", "S4", "S5", "S5", "S6")

_SWATHS = {
    **{base + k: name for base in (0, 36, 50, 86) for k, name in enumerate(_STRIP_MAP)},
    **{base + k: f"IW{k + 1}" for base in (10, 43, 60, 93) for k in range(3)},
    **{base + k: f"EW{k + 1}" for base in (20, 25, 70, 75) for k in range(5)},
    **{base + k: f"WV{k + 1}" for base in (30, 32, 80, 82) for k in range(2)},
    7: "EN", 8: "EN", 57: "EN", 58: "EN", 34: "RF", 35: "RF", 84: "RF", 85: "RF",
}  # fmt: skip
"""Swaths by their numbers in packets, as auxiliary data (AUX_INS, ``swathMapList``) has them."""


class PacketChunks:
    """Chunks of decoded samples (packet, sample); see :class:`swath.product.ChunkSource`."""

    leading: tuple[int, ...] = ()
    dtype = np.dtype(np.complex64)

    def __init__(self, packets: Packets) -> None:
        self._packets = packets
        self._width = 2 * int(packets.quads.max())

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        packets = self._packets
        return (type(self).__name__, packets.store.identity, packets.name, packets.headers, packets.starts)

    @property
    def shape(self) -> tuple[int, int]:
        """Packets, and samples of the longest one."""
        return len(self._packets), self._width

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Packets and samples of a chunk."""
        return min(max(CHUNK_BYTES // (8 * self._width), 1), len(self._packets)), self._width

    def chunk_bytes(self, row: int, column: int) -> int:
        """Return the bytes of the file that a chunk is decoded from."""
        del column  # a packet is whole
        return sum(stop - start for start, stop in ranges(self._chosen(row)))

    def read(self, row: int, column: int) -> npt.NDArray[np.complex64]:
        """Read and decode a chunk."""
        del column
        count(Counts(chunks=1))
        return decode_packets(self._chosen(row), width=self._width)

    def _chosen(self, row: int) -> Packets:
        size = self.chunk_shape[0]
        return self._packets[row * size : (row + 1) * size]


class SafeL0Reader:
    """Reads Sentinel-1 level-0 SAFE; see :class:`swath.product.Reader`.

    Not read: the annotation and the index of packets (``-annot.dat``, ``-index.dat``), which tell of the
    downlink; the positions and attitudes that packets carry one word at a time are kept as words.
    """

    looks_for = f"a Sentinel-1 level-0 SAFE (with {MANIFEST} and s1?-*.dat)"

    def can_read(self, store: Store) -> bool:
        """Tell whether there are a manifest and a measurement of packets."""
        return store.exists(MANIFEST) and any(re.match(r"s1.-.*[.]dat$", n) for n in store.names())

    def open(self, store: Store) -> xr.DataTree:
        """Return the product as a lazy tree. Reads the manifest and the headers of all packets."""
        if not read_kind(store).startswith("sar/level-0/"):
            raise ProductError(f"{store.location}: its {MANIFEST} is not that of a level-0 product")
        manifest = read_manifest(store)
        files = {_polarisation(name): name for name in manifest.files("measurementSchema")}
        missing = [name for name in files.values() if not store.exists(name)]
        if missing or not files:
            raise ProductError(
                f"{store.location}: missing are {', '.join(missing) or 'all measurements'}, "
                f"which its {MANIFEST} should name; get the product again"
            )
        datasets: dict[str, xr.Dataset] = {"/": xr.Dataset(attrs=_attributes(manifest))}
        for polarisation, name in files.items():
            packets = scan_packets(store, name)
            if not len(packets):
                raise ProductError(
                    f"{store.location}: {name} is empty, without a packet; get the product again"
                )
            for path, chosen in _groups(packets):
                samples = packets[chosen]
                datasets[f"/{polarisation}/measurements/{path}"] = _measurements(samples)
                datasets[f"/{polarisation}/conditions/{path}"] = _conditions(samples)
        return xr.DataTree.from_dict(dict(sorted(datasets.items())))


L0_SAFE = SafeL0Reader()


def _polarisation(name: str) -> str:
    found = re.search(r"-raw-[a-z]-([hv]{2})-", name)
    if found is None:
        raise ProductError(
            f"the measurement {name} is called unlike those of Sentinel-1 (s1?-??-raw-?-vv-…): "
            "its polarisation is not known"
        )
    return found[1].upper()


def _groups(packets: Packets) -> list[tuple[str, npt.NDArray[np.int64]]]:
    """Return packets by signal and swath: ``echo/IW1``, ``noise/IW1``, ``calibration/tx_cal/IW1``."""
    found: dict[str, list[npt.NDArray[np.int64]]] = {}
    signals, swaths = packets.field("signal_type"), packets.field("swath_number")
    keys = signals.astype(np.int64) << 8 | swaths
    for key in np.unique(keys):
        signal, swath = int(key) >> 8, int(key) & 0xFF
        name = SIGNALS.get(signal, f"signal_{signal}")
        group = name if signal < 8 else f"calibration/{name}"
        path = f"{group}/{_SWATHS.get(swath, f'swath_{swath}')}"
        found.setdefault(path, []).append(np.flatnonzero(keys == key))
    return [(path, np.sort(np.concatenate(parts))) for path, parts in found.items()]


def _measurements(packets: Packets) -> xr.Dataset:
    if not packets.quads.any():
        return xr.Dataset(coords=_coordinates(packets))
    source = PacketChunks(packets)
    attributes = {
        "long_name": "decoded samples; NaN after the end of a packet shorter than others",
        "units": "1",
    }
    samples = xr.Variable(
        ("packet_number", "sample"),
        lazy_array(source),
        attributes,
        source_encoding(source, {"dtype": source.dtype}),
    )
    return xr.Dataset({"samples": samples}, coords=_coordinates(packets))


def _conditions(packets: Packets) -> xr.Dataset:
    """Return the headers' fields as they are, and what they mean in physical units."""
    raw = {
        name: ("packet_number", packets.field(name), {"long_name": field.told})
        for name, field in FIELDS.items()
    }
    seconds = functools.partial(_physical, packets, 1 / REFERENCE_FREQUENCY, units="s")
    physical = {
        "pulse_repetition_interval_s": seconds("pulse_repetition_interval"),
        "sampling_window_start_time_s": seconds("sampling_window_start_time"),
        "sampling_window_length_s": seconds("sampling_window_length"),
        "tx_pulse_length_s": seconds("tx_pulse_length"),
        "rx_gain_db": _physical(packets, -0.5, "rx_gain", units="dB"),
        "tx_pulse_ramp_rate_hz_per_s": (
            "packet_number",
            _signed(packets.field("tx_pulse_ramp_rate")) * REFERENCE_FREQUENCY**2 / 2**21,
            {"units": "Hz s-1"},
        ),
    }
    return xr.Dataset({**raw, **physical}, coords=_coordinates(packets))


def _physical(packets: Packets, factor: float, name: str, *, units: str) -> tuple[str, Any, dict[str, str]]:
    return "packet_number", packets.field(name) * np.float64(factor), {"units": units}


def _signed(field: npt.NDArray[np.unsignedinteger]) -> npt.NDArray[np.float64]:
    """Return numbers whose highest of 16 bits is set where they are positive."""
    magnitude = (field & 0x7FFF).astype(np.float64)
    return np.where(field >> 15, magnitude, -magnitude)


def _coordinates(packets: Packets) -> dict[str, Any]:
    """Return number and time of each packet (section 3.2.1: the fine time is half a step late)."""
    coarse = packets.field("coarse_time").astype(np.int64) * 10**9
    fine = np.round((packets.field("fine_time") + 0.5) * (1e9 / 65536)).astype(np.int64)
    time = {"long_name": "time of the packet in GPS time, without leap seconds"}
    return {
        "packet_number": packets.numbers,
        "gps_time": ("packet_number", GPS_EPOCH + (coarse + fine).astype("timedelta64[ns]"), time),
    }


def _attributes(manifest: Manifest) -> dict[str, Any]:
    kind = f"S01S{manifest.mode_family}RAW"
    return common_attributes(manifest, kind, manifest.identifier(), "L0")
