"""Sentinel-1 products to read: real metadata, with real packets or made pixels."""

import re
import shutil
from pathlib import Path

import isp_packets
import numpy as np
import pytest

L0 = "S1A_IW_RAW__0SDV_20171213T121623_20171213T121656_019684_021735_C6DB.SAFE"


@pytest.fixture(scope="session")
def real_packets(samples: Path) -> dict[str, bytes]:
    names = {"noise": "000000-noise", "txcal": "000008-txcal", "echo": "000408-echo"}
    return {kind: (samples / "s1/l0" / f"{name}.dat").read_bytes() for kind, name in names.items()}


@pytest.fixture(scope="session")
def level0_packets(real_packets: dict[str, bytes]) -> list[bytes]:
    """Return 250 real packets with counters and times of one datatake: noise, calibration, echoes."""
    kinds = ["noise"] * 5 + ["txcal", "txcal"] + ["echo"] * 120 + ["txcal"] + ["echo"] * 120 + ["noise"] * 2
    packets = []
    for number, kind in enumerate(kinds):
        ticks = 43887 + 34 * number
        packets.append(
            isp_packets.with_fields(
                real_packets[kind],
                packet_sequence_count=number % (1 << 14),
                space_packet_count=number,
                mode_pri_count=3899 + number,
                coarse_time=1276273467 + ticks // 65536,
                fine_time=ticks % 65536,
                sub_commutated_ancillary_data_word_index=number % 64 + 1,
            )
        )
    return packets


@pytest.fixture(scope="session")
def level0(samples: Path, level0_packets: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a level-0 product: a real manifest, and real packets of another product. Not to be changed."""
    safe = tmp_path_factory.mktemp("level0") / L0
    safe.mkdir()
    manifest = (samples / "s1/l0" / L0 / "manifest.safe").read_bytes()
    (safe / "manifest.safe").write_bytes(manifest)
    for name in re.findall(r'href="[.]/(s1a-iw-raw-s-v[hv][\w-]*[.]dat)"', manifest.decode()):
        part = level0_packets if "vv" in name else level0_packets[:20]
        (safe / name).write_bytes(b"".join(part) if "735.dat" in name else b"")
    return safe


@pytest.fixture
def level0_copy(level0: Path, tmp_path: Path) -> Path:
    """Return a level-0 product to change."""
    return Path(shutil.copytree(level0, tmp_path / level0.name))


def nan_equal(left: np.ndarray, right: np.ndarray) -> None:
    np.testing.assert_array_equal(np.asarray(left), np.asarray(right))
