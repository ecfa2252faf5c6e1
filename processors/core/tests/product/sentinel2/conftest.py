"""Sentinel-2 products to read: real metadata with made pixels, products under old names, level-0 metadata."""

import re
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import rasterio

SIDES = {10: 366, 20: 183, 60: 61}
"""Pixels along a side: a thirtieth of a tile's."""
SPECIAL = {"AOT": np.uint16, "WVP": np.uint16, "SCL": np.uint8, "CLDPRB": np.uint8, "SNWPRB": np.uint8}


def write_image(path: Path, data: np.ndarray, resolution: int) -> None:
    """Write an image of (bands, rows, columns), lossless, in the corner of tile T01KAB."""
    transform = rasterio.Affine(resolution, 0, 99960, 0, -resolution, 8200000)
    count, height, width = data.shape
    path.parent.mkdir(parents=True, exist_ok=True)
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", width=width, height=height, count=count, dtype=data.dtype,
        crs="EPSG:32701", transform=transform, tiled=True, blockxsize=64, blockysize=64, QUALITY="100",
        REVERSIBLE="YES",
    ) as file:  # fmt: skip
        file.write(data)


def pixels(random: np.random.Generator, kind: str, resolution: int) -> np.ndarray:
    shape = (1, SIDES[resolution], SIDES[resolution])
    if kind == "SCL":
        return random.integers(0, 12, shape).astype(np.uint8)
    if kind in ("CLDPRB", "SNWPRB"):
        return random.integers(0, 101, shape).astype(np.uint8)
    counts = random.integers(1, 12000, shape).astype(np.uint16)
    counts[:, :5, :7] = 0
    return counts


@pytest.fixture(scope="session")
def l2a(samples, change, tmp_path_factory) -> Path:
    """Return a level-2A product: real metadata (baseline 05.09), made pixels. Not to be changed.

    It is the corner of the tile, so that pixels have their size.
    """
    source = next(samples.glob("s2/S2A_MSIL2A_20230821*.SAFE"))
    safe = tmp_path_factory.mktemp("l2a") / source.name
    safe.mkdir()
    for file in [source / "MTD_MSIL2A.xml", source / "manifest.safe", *source.glob("GRANULE/*/MTD_TL.xml")]:
        target = safe / file.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.read_bytes())
    granule = next((safe / "GRANULE").iterdir())
    for whole, side in ((10980, 366), (5490, 183), (1830, 61)):
        change(granule / "MTD_TL.xml", rf"(<N(?:ROWS|COLS)>){whole}(</)", rf"\g<1>{side}\2")
    random = np.random.default_rng(20230821)
    text = (safe / "MTD_MSIL2A.xml").read_text()
    for name in re.findall(r"<IMAGE_FILE>([^<]*)</IMAGE_FILE>", text):
        kind, resolution = re.fullmatch(r".*_(\w{3})_(\d\d)m", name).groups()
        if kind != "TCI":
            write_image(safe / f"{name}.jp2", pixels(random, kind, int(resolution)), int(resolution))
    for name in re.findall(r"<MASK_FILENAME[^>]*>([^<]*)<", (granule / "MTD_TL.xml").read_text()):
        kind, band = re.search(r"MSK_(\w{6})_(\w{3})[.]jp2", name).groups()
        resolution = next((r for r, names in BANDS.items() if band in names), 60)
        if kind in SPECIAL:
            resolution = int(band[:2])
            data = pixels(random, kind, resolution)
        else:
            shape = ({"DETFOO": 1, "QUALIT": 8, "CLASSI": 3}[kind], SIDES[resolution], SIDES[resolution])
            data = random.integers(0, 13 if kind == "DETFOO" else 2, shape).astype(np.uint8)
        write_image(safe / name, data, resolution)
    return safe


BANDS = {
    10: ("B02", "B03", "B04", "B08"),
    20: ("B05", "B06", "B07", "B8A", "B11", "B12"),
    60: ("B01", "B09", "B10"),
}


@pytest.fixture(scope="session")
def old_l2a(l2a, change, tmp_path_factory) -> Path:
    """Return the same as Sen2Cor 2.0 wrote it: long names, elements with L2A in their names, no offsets."""
    old = tmp_path_factory.mktemp("old") / "S2A_USER_PRD_MSIL2A_PDMC_20230822T021825_R029.SAFE"
    identifier = "S2A_USER_MSI_L2A_TL_SGS__20230822T021825_A042640_T01KAB_N02.04"
    granule, was = old / "GRANULE" / identifier, next((l2a / "GRANULE").iterdir())
    for image in (was / "IMG_DATA").rglob("*.jp2"):
        kind, resolution = re.search(r"_(\w{3})_(\d\dm)[.]jp2", image.name).groups()
        name = f"{identifier}_{kind}_{resolution}.jp2" if kind[0] == "B" else (
            f"{identifier.replace('MSI_L2A', f'{kind}_L2A')}_{resolution}.jp2".replace("_N02.04", "")
        )  # fmt: skip
        target = granule / "IMG_DATA" / (f"R{resolution}/{name}" if kind != "SCL" else name)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, target)
    (granule / "QI_DATA").mkdir()
    listed = [path.stem for path in granule.rglob("*.jp2")]
    for kind, mask in (("CLD", "CLDPRB"), ("SNW", "SNWPRB")):
        for resolution in ("20m", "60m"):
            stem = f"S2A_USER_{kind}_L2A_TL_SGS__20230822T021825_A042640_T01KAB_{resolution}"
            shutil.copy(was / f"QI_DATA/MSK_{mask}_{resolution}.jp2", granule / f"QI_DATA/{stem}.jp2")
            listed.append(stem)
    tile = granule / "S2A_USER_MTD_L2A_TL_SGS__20230822T021825_A042640_T01KAB.xml"
    shutil.copy(was / "MTD_TL.xml", tile)
    change(tile, r"<TILE_ID( [^>]*)>[^<]*</TILE_ID>", rf"<TILE_ID_2A\1>{identifier}</TILE_ID_2A>")
    change(tile, r"<Pixel_Level_QI .*</Pixel_Level_QI>", "")
    product = old / "S2A_USER_MTD_SAFL2A_PDMC_20230822T021825_R029.xml"
    shutil.copy(l2a / "MTD_MSIL2A.xml", product)
    images = "".join(f"<IMAGE_ID_2A>{stem}</IMAGE_ID_2A>" for stem in sorted(listed))
    opening = f'<Granules granuleIdentifier="{identifier}" datastripIdentifier="S2A_USER_MSI_L2A_DS">'
    change(product, r"<Granule .*</Granule>", f"{opening}{images}</Granules>")
    change(product, r"<PRODUCT_URI>[^<]*</PRODUCT_URI>", "<PRODUCT_URI/>")
    change(product, "Level-2A<", "Level-2Ap<")
    change(product, "05[.]09", "02.04")
    change(product, r"<BOA_ADD_OFFSET_VALUES_LIST>.*</BOA_ADD_OFFSET_VALUES_LIST>", "")
    change(product, r"<quality_check checkType=\"(\w+)\">(\w+)</quality_check>", r"<\1_FLAG>\2</\1_FLAG>")
    for name in ("Product_Info", "Product_Image_Characteristics"):
        change(product, rf"(</?){name}>", rf"\1L2A_{name}>")
    for name in ("BOA_QUANTIFICATION_VALUE", "AOT_QUANTIFICATION_VALUE", "WVP_QUANTIFICATION_VALUE"):
        change(product, rf"(</?){name}", rf"\1L2A_{name}")
    change(product, r"(</?)(Scene_Classification|SCENE_CLASSIFICATION)", r"\1L2A_\2")
    return old


@pytest.fixture(scope="session")
def old_l1c(sample_safe, change, tmp_path_factory) -> Path:
    """Return the real level-1C product as before December 2016: long names, and one tile twice."""
    old = tmp_path_factory.mktemp("old") / "S2A_OPER_PRD_MSIL1C_PDMC_20171207T032513_R116.SAFE"
    was = next((sample_safe / "GRANULE").iterdir())
    granules = []
    for square in ("T55JEJ", "T55JEK"):
        identifier = f"S2A_OPER_MSI_L1C_TL_SGS__20171207T032513_A012840_{square}_N02.06"
        granule = old / "GRANULE" / identifier
        for folder in ("IMG_DATA", "QI_DATA", "AUX_DATA"):
            (granule / folder).mkdir(parents=True)
        stem = identifier.removesuffix("_N02.06")
        for image in (was / "IMG_DATA").glob("*_B*.jp2"):
            shutil.copy(image, granule / f"IMG_DATA/{stem}_{image.stem[-3:]}.jp2")
        for mask in (was / "QI_DATA").glob("MSK_*.gml"):
            kind, band = mask.stem.split("_")[1:]
            name = f"{stem.replace('MSI_L1C_TL', f'MSK_{kind}')}_{band}_MSIL1C.gml"
            shutil.copy(mask, granule / "QI_DATA" / name)
        weather = "S2A_OPER_AUX_ECMWFT_SGS__20171207T032513_V20171207T030000"
        shutil.copy(was / "AUX_DATA/AUX_ECMWFT", granule / "AUX_DATA" / weather)
        tile = granule / f"{stem.replace('MSI_L1C_TL', 'MTD_L1C_TL')}.xml"
        shutil.copy(was / "MTD_TL.xml", tile)
        kept = stem.replace("MSI_L1C_TL", r"MSK_\1")
        change(tile, r">[^<]*MSK_(\w{6})_(B\w\w)[.]gml<", rf">{kept}_\2_MSIL1C.gml<")
        change(tile, "T55JEJ", square)
        images = "".join(f"<IMAGE_ID>{p.stem}</IMAGE_ID>" for p in sorted((granule / "IMG_DATA").iterdir()))
        granules.append(f'<Granules granuleIdentifier="{identifier}">{images}</Granules>')
    product = old / "S2A_OPER_MTD_SAFL1C_PDMC_20171207T032513_R116.xml"
    shutil.copy(sample_safe / "MTD_MSIL1C.xml", product)
    change(
        product,
        r"<Granule_List>.*</Granule_List>",
        "".join(f"<Granule_List>{g}</Granule_List>" for g in granules),
    )
    change(product, r"(<PRODUCT_URI>)[^<]*<", rf"\1{old.name}<")
    return old


@pytest.fixture(scope="session")
def level0(samples, tmp_path_factory) -> Path:
    """Return the folder that the level-0 samples are unpacked into."""
    folder = tmp_path_factory.mktemp("level0")
    for archive in sorted((samples / "s2/l0").glob("*L0*.tar.gz")):
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="session")
def datastrip(level0) -> Path:
    """Return the real datastrip of 1 August 2025; its metadata alone, as in the sample."""
    return next(level0.glob("S2B_OPER_MSI_L0__DS_*"))
