"""Sentinel-1 products to read: real metadata, with real packets or made pixels."""

import re
import shutil
import warnings
import zipfile
from pathlib import Path

import isp_packets
import numpy as np
import pytest
import rasterio

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


SLC = "S1B_IW_SLC__1SDV_20210401T052622_20210401T052650_026269_032297_EFA4.SAFE"
GRD = "S1A_IW_GRDH_1SDV_20210809T173953_20210809T174018_039156_049F13_6FF8.SAFE"
NEW_SLC = "S1A_IW_SLC__1SDV_20220104T170557_20220104T170624_041314_04E951_F1F1.SAFE"
LINES = 700
"""Lines that the made image of the ground range product has."""


@pytest.fixture(scope="session")
def slc(samples: Path) -> Path:
    """Return an SLC product of three of its six images: real metadata, constant pixels. Not to be changed."""
    return samples / "s1/safe" / SLC


@pytest.fixture
def slc_copy(slc: Path, tmp_path: Path) -> Path:
    """Return one image of the SLC product to change."""
    safe = Path(shutil.copytree(slc, tmp_path / SLC, ignore=shutil.ignore_patterns("*vh*", "support")))
    for path in [safe, *safe.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return safe


@pytest.fixture(scope="session")
def new_slc(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one image of an SLC of a later schema: its bursts have identifiers. Not to be changed."""
    folder = tmp_path_factory.mktemp("new")
    with zipfile.ZipFile(samples / "s1/safe" / f"{NEW_SLC}.zip") as archive:
        archive.extractall(folder)
    manifest = folder / NEW_SLC / "manifest.safe"
    # The sample came without its noise, which is no product: the manifest is made to tell so.
    text = re.sub(r'<dataObject ID="noise.*?</dataObject>', "", manifest.read_text(), flags=re.DOTALL)
    manifest.write_text(text)
    return folder / NEW_SLC


@pytest.fixture(scope="session")
def grd(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one image of a GRD product: real metadata with fewer lines, made pixels. Not to be changed."""
    folder = tmp_path_factory.mktemp("grd")
    with zipfile.ZipFile(samples / "s1/safe" / f"{GRD}.zip") as archive:
        archive.extractall(folder)
    safe = folder / GRD
    annotation = next(safe.glob("annotation/*.xml"))
    text = annotation.read_text()
    annotation.write_text(text.replace("<numberOfLines>16676<", f"<numberOfLines>{LINES}<"))
    points = [
        rasterio.control.GroundControlPoint(row=row, col=col, x=1.9 + col / 1e5, y=44.5 - row / 1e5, z=330.0)
        for row in (0, LINES - 1)
        for col in (0, 13000, 26143)
    ]
    (safe / "measurement").mkdir()
    pixels = np.random.default_rng(39156).integers(0, 2000, (LINES, 26144)).astype(np.uint16)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(
            safe / "measurement" / f"{annotation.stem}.tiff", "w", driver="GTiff", dtype="uint16", count=1,
            height=LINES, width=26144, blockysize=1,
        ) as file:  # fmt: skip
            file.gcps = (points, rasterio.crs.CRS.from_epsg(4326))
            file.write(pixels, 1)
    return safe


@pytest.fixture(scope="session")
def converted(samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the same SLC product as eopf 2.8.1 converted it."""
    folder = tmp_path_factory.mktemp("eopf")
    with zipfile.ZipFile(next((samples / "eopf").glob("S01SIWSLC_*.zip"))) as archive:
        archive.extractall(folder)
    return folder
