"""Sentinel-2 products to read: the real sample, and changed copies of it."""

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import rasterio

NAME = "S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_20171207T032513"


def write_jp2(path: Path, data: np.ndarray, *, resolution: float, tile: int = 64, **options: str) -> None:
    """Write an image of (bands, rows, columns) by GDAL, in the sample's place on the ground."""
    transform = rasterio.Affine(resolution, 0, 499980, 0, -resolution, 6900040)
    count, height, width = data.shape
    lossless = {"QUALITY": "100", "REVERSIBLE": "YES"}
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", width=width, height=height, count=count, dtype=data.dtype,
        crs="EPSG:32755", transform=transform, tiled=True, blockxsize=tile, blockysize=tile, **{**lossless,
        **options},
    ) as file:  # fmt: skip
        file.write(data)


@pytest.fixture(scope="session")
def jp2() -> Callable[..., None]:
    return write_jp2


@pytest.fixture(scope="session")
def sample_zip(samples: Path) -> Path:
    """Return the real product (its pixels decimated) as its zip."""
    return samples / "s2" / f"{NAME}.zip"


@pytest.fixture(scope="session")
def sample_safe(sample_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the real product unpacked; not to be changed."""
    folder = tmp_path_factory.mktemp("sample")
    with zipfile.ZipFile(sample_zip) as archive:
        wanted = [n for n in archive.namelist() if "/HTML/" not in n and not n.endswith("MTD_DS.xml")]
        archive.extractall(folder, wanted)
    return folder / f"{NAME}.SAFE"


@pytest.fixture
def safe(sample_safe: Path, tmp_path: Path) -> Path:
    """Return a copy of the real product to change."""
    return Path(shutil.copytree(sample_safe, tmp_path / f"{NAME}.SAFE"))


@pytest.fixture(scope="session")
def change() -> Callable[[Path, str, str], None]:
    """Return a function that replaces a pattern in a file, and fails where it is not there."""

    def replace(path: Path, pattern: str, text: str) -> None:
        old = path.read_text(encoding="utf-8")
        new, times = re.subn(pattern, text, old, flags=re.DOTALL)
        assert times, f"{pattern!r} is not in {path.name}"
        path.write_text(new, encoding="utf-8")

    return replace


@pytest.fixture(scope="session")
def modern_safe(
    sample_safe: Path, change: Callable[[Path, str, str], None], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Return the sample as of baseline 05.11 and a new platform: offsets, raster masks, bands in many tiles.

    Not to be changed.
    """
    safe = Path(shutil.copytree(sample_safe, tmp_path_factory.mktemp("modern") / f"{NAME}.SAFE"))
    granule = next((safe / "GRANULE").iterdir())
    random = np.random.default_rng(1)
    offsets = "".join(f'<RADIO_ADD_OFFSET band_id="{k}">{-1000 - k}</RADIO_ADD_OFFSET>' for k in range(13))
    product = safe / "MTD_MSIL1C.xml"
    change(
        product,
        "(</QUANTIFICATION_VALUE>)",
        rf"\1<Radiometric_Offset_List>{offsets}</Radiometric_Offset_List>",
    )
    change(product, "02[.]06", "05.11")
    change(product, "Sentinel-2A", "Sentinel-2D")
    change(
        product,
        "(</Cloud_Coverage_Assessment>)",
        r"\1<Snow_Coverage_Assessment>1.5</Snow_Coverage_Assessment>",
    )
    change(granule / "MTD_TL.xml", r"MSK_CLOUDS(_B00)[.]gml", r"MSK_CLASSI\1.jp2")
    change(granule / "MTD_TL.xml", "MSK_CLOUDS", "MSK_CLASSI")
    change(granule / "MTD_TL.xml", r"(MSK_DETFOO_B\w\w)[.]gml", r"\1.jp2")
    change(granule / "MTD_TL.xml", r"(MSK_)TECQUA(_B\w\w)[.]gml", r"\1QUALIT\2.jp2")
    change(granule / "MTD_TL.xml", "MSK_TECQUA", "MSK_QUALIT")
    change(
        granule / "MTD_TL.xml",
        r"<MASK_FILENAME[^>]*>[^<]*MSK_(DEFECT|NODATA|SATURA)[^<]*</MASK_FILENAME>",
        "",
    )
    for image in sorted((granule / "IMG_DATA").glob("*_B*.jp2")):
        with rasterio.open(image) as file:
            size, resolution = file.width, file.transform.a
        band = image.stem[-3:]
        counts = random.integers(900, 9000, (1, size, size)).astype(np.uint16)
        counts[:, :5, :7] = 0
        write_jp2(image, counts, resolution=resolution)
        detectors = np.repeat(np.arange(size, dtype=np.uint8)[None, None] // 20 + 1, size, axis=1)
        write_jp2(granule / f"QI_DATA/MSK_DETFOO_{band}.jp2", detectors, resolution=resolution)
        flags = random.integers(0, 2, (8, size, size)).astype(np.uint8)
        write_jp2(granule / f"QI_DATA/MSK_QUALIT_{band}.jp2", flags, resolution=resolution)
        if band == "B01":
            write_jp2(granule / "QI_DATA/MSK_CLASSI_B00.jp2", flags[:3], resolution=resolution, tile=64)
    return safe
