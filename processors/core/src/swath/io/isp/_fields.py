"""Where each field of a packet's two headers lies.

Source: Sentinel-1 SAR Space Packet Protocol Data Unit (S1-IF-ASD-PL-0007, issue 13), section 3.1 (primary
header) and 3.2 (secondary header). Names are those of the model S01SIWRAW of eopf 2.8.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["FIELDS", "HEADER_BYTES", "SIGNALS", "SYNC_MARKER", "Field", "extract"]

HEADER_BYTES = 68
"""Bytes of the primary (6) and the secondary header (62)."""

SYNC_MARKER = 0x352EF853
"""Synchronisation marker of each packet (section 3.2.2.1)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a header: an unsigned number, the highest bit first."""

    start: int
    """Its first bit, counted from the first bit of the packet."""
    bits: int
    """How many bits it has."""
    told: str
    """What it is, with its unit."""

    @property
    def dtype(self) -> np.dtype[np.unsignedinteger]:
        """Smallest type that holds it."""
        return np.dtype(np.min_scalar_type((1 << self.bits) - 1))


FIELDS = {
    "packet_version": Field(0, 3, "packet version number"),
    "packet_type": Field(3, 1, "packet type"),
    "header_flag": Field(4, 1, "1 where there is a secondary header"),
    "application_process_identifier": Field(5, 11, "process identifier and packet category"),
    "packet_category": Field(12, 4, "packet category"),
    "sequence_flag": Field(16, 2, "sequence flags"),
    "packet_sequence_count": Field(18, 14, "packet sequence count"),
    "packet_data_length": Field(32, 16, "bytes after the primary header, less one"),
    "coarse_time": Field(48, 32, "seconds of GPS time"),
    "fine_time": Field(80, 16, "fraction of a second, (n + 0.5) / 65536"),
    "synchronisation_marker": Field(96, 32, "synchronisation marker"),
    "datatake_id": Field(128, 32, "datatake identifier"),
    "ecc_number": Field(160, 8, "event control code"),
    "test_mode": Field(169, 3, "test mode"),
    "rx_channel_id": Field(172, 4, "receive channel: 0 = V, 1 = H"),
    "instrument_configuration_id": Field(176, 32, "instrument configuration identifier"),
    "sub_commutated_ancillary_data_word_index": Field(208, 8, "index of the ancillary word, 1 to 64"),
    "sub_commutated_ancillary_data_word": Field(216, 16, "ancillary word"),
    "space_packet_count": Field(232, 32, "packets since the start of the datatake"),
    "mode_pri_count": Field(264, 32, "pulse repetition intervals since the start of the datatake"),
    "error_flag": Field(296, 1, "1 where the SAR electronics found an error"),
    "baq_mode": Field(299, 5, "0 = bypass, 3 to 5 = BAQ of so many bits, 12 to 14 = FDBAQ"),
    "baq_block_length": Field(304, 8, "complex samples of a block, (n + 1) * 8"),
    "range_decimation": Field(320, 8, "code of the decimation filter"),
    "rx_gain": Field(328, 8, "receive attenuation, in 0.5 dB"),
    "tx_pulse_ramp_rate": Field(336, 16, "sign (1 = up) and magnitude, in f_ref^2 / 2^21"),
    "tx_pulse_start_frequency": Field(352, 16, "sign (1 = positive) and magnitude, in f_ref / 2^14"),
    "tx_pulse_length": Field(368, 24, "in 1 / f_ref"),
    "rank": Field(395, 5, "pulses in the air"),
    "pulse_repetition_interval": Field(400, 24, "in 1 / f_ref"),
    "sampling_window_start_time": Field(424, 24, "in 1 / f_ref"),
    "sampling_window_length": Field(448, 24, "in 1 / f_ref"),
    "ssbflag": Field(472, 1, "0 = imaging or noise, 1 = calibration"),
    "polarisation": Field(473, 3, "transmit and receive polarisation"),
    "temperature_compensation": Field(476, 2, "temperature compensation"),
    "elevation_beam_address": Field(480, 4, "elevation beam (calibration: test mode and type)"),
    "azimuth_beam_address": Field(486, 10, "azimuth beam (calibration: beam)"),
    "calibration_mode": Field(496, 2, "calibration mode"),
    "tx_pulse_number": Field(499, 5, "number of the pulse's kind"),
    "signal_type": Field(504, 4, "0 = echo, 1 = noise, 8 and above = calibration"),
    "swap_flag": Field(511, 1, "1 where a swap of tables was done"),
    "swath_number": Field(512, 8, "number of the swath"),
    "radar_sample_count_service": Field(520, 16, "quads (I and Q, even and odd) of the user data"),
}
"""All fields, in the order of their bits."""

SIGNALS = {
    0: "echo", 1: "noise", 8: "tx_cal", 9: "rx_cal", 10: "epdn_cal", 11: "ta_cal", 12: "apdn_cal",
    15: "txh_cal_iso",
}  # fmt: skip
"""Signal types (section 3.2.5.14.3). On Sentinel-1C and -1D 11 is the transmit calibration in isolation."""


def extract(headers: npt.NDArray[np.uint8], name: str) -> npt.NDArray[np.unsignedinteger]:
    """Return one field of many headers at once.

    Parameters
    ----------
    headers
        Bytes of the headers (packet, 68).
    name
        One of :data:`FIELDS`.
    """
    field = FIELDS[name]
    first, last = field.start // 8, (field.start + field.bits - 1) // 8
    number = np.zeros(len(headers), np.uint64)
    for byte in range(first, last + 1):
        number = number << np.uint64(8) | headers[:, byte]
    number >>= np.uint64(8 * (last + 1) - field.start - field.bits)
    return (number & np.uint64((1 << field.bits) - 1)).astype(field.dtype)
