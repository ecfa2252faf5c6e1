"""Write what another decoder makes of the packets that the tests decode: run by hand where it is installed.

python -m pip install sentinel1decoder==2.1.0
export PYTHONPATH=processors/core/src:processors/core/tests/made
python processors/core/tests/made/make_isp_references.py SAMPLES > references.json
"""

import hashlib
import json
import sys
from pathlib import Path

import isp_packets
import numpy as np
from sentinel1decoder import _sentinel1decoder as reference


def digest(samples) -> str:
    """Return the hash of samples; a zero has no sign here."""
    return hashlib.sha256((np.asarray(samples, np.complex64) + np.complex64(0)).tobytes()).hexdigest()


def decode(kind: str, packet: bytes):
    quads = int.from_bytes(packet[65:67], "big")
    if kind == "bypass":
        return reference.decode_single_bypass_packet(packet[68:], quads)
    if kind.startswith("baq"):
        return reference.decode_single_baq_packet(packet[68:], quads, int(kind[3:]))
    return reference.decode_single_fdbaq_packet(packet[68:], quads)


def main() -> None:
    echo = (Path(sys.argv[1]) / "s1/l0/000408-echo.dat").read_bytes()
    found = {"echo": [digest(decode("fdbaq", echo))]}
    for kind, made in isp_packets.made_packets(echo).items():
        found[kind] = [digest(decode(kind, packet)) for packet in made]
    print(json.dumps({"decoder": "sentinel1decoder 2.1.0", "sha256": found}, indent=1))


if __name__ == "__main__":
    main()
