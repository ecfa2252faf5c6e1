"""Sentinel-2 and Sentinel-3 products to read: the real samples, changed copies of them, and small ones."""

import json
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import rasterio
from pystac.validation import stac_validator


@pytest.fixture
def offline_validator(samples: Path) -> stac_validator.JsonSchemaSTACValidator:
    """Return a validator of STAC with the schemas of the extensions: nothing is fetched."""
    made = stac_validator.JsonSchemaSTACValidator()
    for path in (samples / "eopf/cpm_2.8.1_stac_schemas/extensions").glob("*.json"):
        schema = json.loads(path.read_text())
        made.schema_cache[schema["$id"].removesuffix("#")] = schema
    return made


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
        wanted = [n for n in archive.namelist() if "/HTML/" not in n]
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


EFR = "S3A_OL_1_EFR____20200101T101517_20200101T101817_20200102T141102_0179_053_179_2520_LN1_O_NT_002.SEN3"
SLSTR = "S3A_SL_1_RBT____20170313T110343_20170313T110643_20170314T172757_0179_015_208_2520_LN2_O_NT_002.SEN3"


@pytest.fixture(scope="session")
def efr(samples) -> Path:
    """Return the real OLCI product; its radiances, geolocation and meteorology are not in the sample."""
    return samples / "s3" / EFR


@pytest.fixture(scope="session")
def rbt_manifest(samples) -> Path:
    return next(samples.glob("s3/sen3_headers/*SL_1_RBT*/xfdumanifest.xml"))


def write(path: Path, variables: dict[str, tuple[tuple[str, ...], np.ndarray, dict]]) -> None:
    """Write a netCDF-4 file by h5py: chunked, shuffled and deflated, with dimension scales."""
    with h5py.File(path, "w") as file:
        for name, (dimensions, data, attributes) in variables.items():
            for dimension, length in zip(dimensions, data.shape, strict=True):
                if dimension not in file:
                    scale = file.create_dataset(dimension, (length,), ">f4")
                    scale.make_scale(f"This is a netCDF dimension but not a netCDF variable.{length:10}")
            chunks = tuple(min(n, 12) for n in data.shape)
            made = file.create_dataset(name, data=data, chunks=chunks, compression="gzip", shuffle=True)
            for axis, dimension in enumerate(dimensions):
                made.dims[axis].attach_scale(file[dimension])
            made.attrs.update(attributes)


@pytest.fixture(scope="session")
def small_efr(samples, efr, tmp_path_factory) -> Path:
    """Return a SEN3 of 20 rows made from the numbers of a real window.

    The window starts 34 columns to the right of a tie column, so that it is put at column 34.
    """
    folder = tmp_path_factory.mktemp("small") / EFR
    folder.mkdir()
    text = (efr / "xfdumanifest.xml").read_text()
    text = re.sub(r"(rows>)4091(</)", r"\g<1>20\2", text)
    text = re.sub(r"(columns>)4865(</)", r"\g<1>54\2", text)
    (folder / "xfdumanifest.xml").write_text(text)
    with h5py.File(samples / "s3/l1b_subset/S3A_OL_1_EFR_ppetest_20x20.nc") as source:
        image, tie = ("rows", "columns"), ("tie_rows", "tie_columns")

        def placed(name, dtype, fill):
            data = np.full((20, 54), fill, dtype)
            data[:, 34:] = source[name][()].astype(dtype)
            kept = {"_FillValue": np.array([fill], dtype)}
            for key in ("scale_factor", "units"):
                if key in source[name].attrs:
                    kept[key] = source[name].attrs[key]
            return image, data, kept

        for k in range(1, 22):
            name = f"Oa{k:02}_radiance"
            write(folder / f"{name}.nc", {name: placed(name, np.uint16, 65535)})
        write(folder / "geo_coordinates.nc", {
            "latitude": placed("latitude", np.int32, -(2**31)),
            "longitude": placed("longitude", np.int32, -(2**31)),
            "altitude": placed("altitude", np.int16, -32768),
        })  # fmt: skip
        flags = np.zeros((20, 54), np.uint32)
        flags[:, 34:] = source["quality_flags"][()].astype(np.uint32)
        masks = source["quality_flags"].attrs["flag_masks"].astype(np.uint32)
        meanings = source["quality_flags"].attrs["flag_meanings"]
        write(folder / "qualityFlags.nc", {
            "quality_flags": (image, flags, {"flag_masks": masks, "flag_meanings": meanings}),
        })  # fmt: skip
        ties = {name: (tie, source[name][()][:20], {}) for name in ("OAA", "OZA", "SAA", "SZA")}
        write(folder / "tie_geometries.nc", ties)
        places = {name: (tie, source[f"TP_{name}"][()][:20], {}) for name in ("latitude", "longitude")}
        write(folder / "tie_geo_coordinates.nc", places)
        profile = [
            source[f"atmospheric_temperature_profile_pressure_level_{k}"][()][:20] for k in range(1, 26)
        ]
        wind = [source[f"horizontal_wind_vector_{k}"][()][:20] for k in (1, 2)]
        write(folder / "tie_meteo.nc", {
            "atmospheric_temperature_profile": ((*tie, "tie_pressure_levels"), np.stack(profile, -1), {}),
            "horizontal_wind": ((*tie, "wind_vectors"), np.stack(wind, -1), {}),
            "humidity": (tie, source["humidity"][()][:20], {"units": "%"}),
        })  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def small_rbt(samples, rbt_manifest, tmp_path_factory) -> Path:
    """Return a SEN3 made from the numbers of a real SLSTR product (decimated), as read by GDAL."""
    folder = tmp_path_factory.mktemp("rbt") / rbt_manifest.parent.name
    folder.mkdir()
    shutil.copy(rbt_manifest, folder)
    source = samples / "s3/l1b_subset" / f"{SLSTR}.nc"

    def read(name, dtype):
        with rasterio.open(f'NETCDF:"{source}":{name}') as file:
            scale, offset, fill = file.scales[0], file.offsets[0], file.nodata
            data = file.read(1)
        told = {"scale_factor": scale, "add_offset": offset} if scale != 1 else {}
        if fill is not None:
            told["_FillValue"] = np.array([fill]).astype(dtype)
        return ("rows", "columns"), data.astype(dtype), told

    files = {
        "S1_radiance_an": {"S1_radiance_an": np.int16, "S1_exception_an": np.uint8},
        "S7_BT_in": {"S7_BT_in": np.int16, "S7_exception_in": np.uint8},
        "S8_BT_io": {"S8_BT_io": np.int16, "S8_exception_io": np.uint8},
        "indices_in": {"detector_in": np.uint8, "pixel_in": np.int16, "scan_in": np.int16},
        "geometry_tn": {"sat_zenith_tn": np.float32, "solar_zenith_tn": np.float32},
        "geometry_to": {"sat_zenith_to": np.float32},
        "geodetic_tx": {"latitude_tx": np.float32, "longitude_tx": np.float32},
        "met_tx": {"skin_temperature_tx": np.float32},
    }
    for file, names in files.items():
        write(folder / f"{file}.nc", {name: read(name, dtype) for name, dtype in names.items()})
    return folder


@pytest.fixture(scope="session")
def placed_rbt(rbt_manifest, tmp_path_factory) -> Path:
    """Return a made SLSTR product: nadir at 500 m and 1 km, oblique in the west; flags, ties."""
    folder = tmp_path_factory.mktemp("placed") / rbt_manifest.parent.name
    folder.mkdir()
    shutil.copy(rbt_manifest, folder)
    image = ("rows", "columns")

    def places(grid, rows, columns, step):
        row, column = np.mgrid[0:rows, 0:columns].astype(np.float64)
        # The track runs south and a little west, across the antimeridian.
        latitude, longitude = 20 - step * (row + 0.2 * column), 179.7 + step * (column - 0.2 * row)
        return {
            f"latitude_{grid}": (image, latitude, {}),
            f"longitude_{grid}": (image, (longitude + 180) % 360 - 180, {}),
            f"elevation_{grid}": (image, np.zeros((rows, columns), np.int16), {}),
        }

    def numbers(rows, columns):
        return image, np.arange(rows * columns, dtype=np.float32).reshape(rows, columns), {}

    told = {"flag_masks": np.array([1, 2], np.uint16), "flag_meanings": "odd second"}
    odd = np.arange(60 * 40, dtype=np.uint16).reshape(60, 40) % 4
    files = {
        "geodetic_an": places("an", 120, 80, 0.005),
        "geodetic_in": places("in", 60, 40, 0.01),
        "geodetic_io": places("io", 60, 20, 0.01),
        "geodetic_tx": {
            name: value for name, value in places("tx", 60, 5, 0.1).items() if "elev" not in name
        },
        "S1_radiance_an": {"S1_radiance_an": numbers(120, 80)},
        "S7_BT_in": {
            "S7_BT_in": numbers(60, 40),
            "S7_BT_orphan_in": (("rows", "orphan_pixels"), np.ones((60, 3), np.float32), {}),
        },
        "S8_BT_io": {"S8_BT_io": numbers(60, 20)},
        "S8_BT_in": {"S8_BT_in": numbers(60, 40)},
        "indices_in": {"detector_in": (image, np.ones((60, 40), np.uint8), {})},
        "flags_in": {"confidence_in": (image, odd, told)},
        "geometry_tn": {"sat_zenith_tn": numbers(60, 5)},
    }
    for file, variables in files.items():
        write(folder / f"{file}.nc", variables)
    return folder
