"""Real packets, and files of packets."""

from collections.abc import Callable
from pathlib import Path

import pytest
from swath.io.isp import Packets, scan_packets
from swath.io.store import open_store

NAMES = {"noise": "000000-noise", "txcal": "000008-txcal", "echo": "000408-echo"}


@pytest.fixture(scope="session")
def real_packets(samples: Path) -> dict[str, bytes]:
    """Return the real packets by what they hold."""
    return {kind: (samples / "s1/l0" / f"{name}.dat").read_bytes() for kind, name in NAMES.items()}


@pytest.fixture
def scan(tmp_path: Path) -> Callable[..., Packets]:
    """Return a function that finds packets in a file of these bytes."""

    def of(*packets: bytes) -> Packets:
        (tmp_path / "packets.dat").write_bytes(b"".join(packets))
        return scan_packets(open_store(tmp_path), "packets.dat")

    return of
