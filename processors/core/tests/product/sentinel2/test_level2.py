"""Sentinel-2 level-2A: what is read agrees with independent readings of the same files."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import rasterio
import swath
from swath.product import validate_product


def raster(path: Path) -> np.ndarray:
    with rasterio.open(path) as file:
        return file.read()


def image(safe: Path, kind: str, resolution: int) -> np.ndarray:
    (path,) = safe.glob(f"GRANULE/*/IMG_DATA/R{resolution}m/*_{kind}_{resolution}m.jp2")
    return raster(path)[0]


def test_reflectance_is_that_of_gdal(l2a):
    reflectance = swath.open_product(l2a)["/measurements/reflectance"]
    found = {(r, str(name)): a for r in (10, 20, 60) for name, a in reflectance[f"r{r}m"].data_vars.items()}
    assert len(found) == 4 + 10 + 11
    for (resolution, name), array in found.items():
        counts = image(l2a, name.upper(), resolution)
        np.testing.assert_array_equal(array, np.where(counts == 0, np.nan, counts * 1e-4 - 0.1))


@pytest.mark.parametrize("resolution", [10, 20, 60])
def test_gdal_s_sentinel_2_driver_sees_the_same_product(l2a, resolution):
    tree = swath.open_product(l2a)
    with rasterio.open(f"SENTINEL2_L2A:{l2a}/MTD_MSIL2A.xml:{resolution}m:EPSG_32701") as file:
        names = {tags["BANDNAME"].lower(): k for k in file.indexes if "BANDNAME" in (tags := file.tags(k))}
        assert {"aot", "wvp"} <= names.keys()
        for name, k in names.items():
            told = "b8a" if name == "b8a" else re.sub(r"^b(\d)$", r"b0\1", name)
            counts = file.read(k)
            if told in ("aot", "wvp"):
                array = tree[f"quality/atmosphere/r{resolution}m/{told}"]
                expected = np.where(counts == 0, np.nan, counts * 1e-3)
            elif told in ("scl", "cld", "snw"):
                group = "conditions/mask/l2a_classification" if told == "scl" else "quality/probability"
                array, expected = tree[f"{group}/r{resolution}m/{told}"], counts
            else:
                array = tree[f"measurements/reflectance/r{resolution}m/{told}"]
                offset = float(file.tags(k)["BOA_ADD_OFFSET"])
                expected = np.where(counts == 0, np.nan, (counts + offset) * 1e-4)
            np.testing.assert_allclose(array, expected, rtol=1e-9, atol=1e-12, err_msg=name)
            grid = swath.Grid.of(array)
            assert (grid.transform, grid.crs) == (tuple(file.transform)[:6], str(file.crs))


def test_atmosphere_classes_and_probabilities_are_those_of_gdal(l2a):
    tree = swath.open_product(l2a)
    for resolution in (10, 20, 60):
        for name in ("aot", "wvp"):
            counts = image(l2a, name.upper(), resolution)
            expected = np.where(counts == 0, np.nan, counts * 1e-3)
            np.testing.assert_array_equal(tree[f"/quality/atmosphere/r{resolution}m/{name}"], expected)
    for resolution in (20, 60):
        classes = tree[f"/conditions/mask/l2a_classification/r{resolution}m/scl"]
        np.testing.assert_array_equal(classes, image(l2a, "SCL", resolution))
        for name, mask in (("cld", "CLDPRB"), ("snw", "SNWPRB")):
            expected = raster(next(l2a.glob(f"GRANULE/*/QI_DATA/MSK_{mask}_{resolution}m.jp2")))[0]
            np.testing.assert_array_equal(tree[f"/quality/probability/r{resolution}m/{name}"], expected)
    named = dict(zip(classes.attrs["flag_values"], classes.attrs["flag_meanings"], strict=True))
    assert (len(named), named[3], named[6], named[11]) == (12, "CLOUD_SHADOW", "WATER", "SNOW_ICE")
    assert tree["/quality/atmosphere/r10m/wvp"].attrs["units"] == "cm"


def test_masks_of_level_1c_are_there_for_all_bands(l2a):
    tree = swath.open_product(l2a)
    for path in ("/conditions/mask/detector_footprint", "/quality/mask"):
        assert sum(len(node.data_vars) for node in tree[path].children.values()) == 13
    quality = raster(next(l2a.glob("GRANULE/*/QI_DATA/MSK_QUALIT_B10.jp2")))
    flags = (quality * (1 << np.arange(8))[:, None, None]).sum(axis=0)
    np.testing.assert_array_equal(tree["/quality/mask/r60m/b10"], flags)
    opaque, cirrus, snow = raster(next(l2a.glob("GRANULE/*/QI_DATA/MSK_CLASSI_B00.jp2")))
    expected = opaque + 2 * cirrus + 4 * snow
    np.testing.assert_array_equal(tree["/conditions/mask/l1c_classification/r60m/b00"], expected)


def test_angles_have_the_digits_of_the_metadata(l2a):
    geometry = swath.open_product(l2a)["/conditions/geometry"]
    text = next(l2a.glob("GRANULE/*/MTD_TL.xml")).read_text()
    sun = re.search(r"<Sun_Angles_Grid>.*?<VALUES>([^<]*)</VALUES>", text, re.DOTALL)[1]
    np.testing.assert_array_equal(geometry.sun_angles[0, 0], np.array(sun.split(), float))
    views = re.findall(
        r'<Viewing_Incidence_Angles_Grids bandId="(\d+)" detectorId="(\d+)">.*?<VALUES>([^<]*)<',
        text,
        re.DOTALL,
    )
    bands = list(geometry.band.values)
    assert len(views) == len(bands) * len(geometry.detector)
    for band, detector, row in views:
        found = geometry.viewing_incidence_angles.sel(band=bands[int(band)], detector=int(detector))
        np.testing.assert_array_equal(found[0, 0], np.array(row.split(), float))


def test_names_are_those_of_the_model_and_of_a_real_converted_product(l2a, samples):
    tree = swath.open_product(l2a)
    found = {f.path for f in validate_product(tree) if f.level == "error"}
    assert found
    assert all("/meteorology/" in path for path in found), found  # the sample has no GRIB
    path = samples / "eopf/real_zmetadata/S2A_MSIL2A_20251008T100041_N0511_R122_T32TQM_20251008T122613.json"
    real = arrays(json.loads(path.read_text()))
    ours = {f"{node.path}/{name}" for node in tree.subtree for name in node.data_vars}
    left_out = {path for path in real - ours if not path.endswith(("/x", "/y"))}
    assert all(re.search("meteorology|quicklook|/(angle|band|detector)$", path) for path in left_out), (
        left_out
    )
    assert ours - real == {f"/quality/probability/r60m/{name}" for name in ("cld", "snw")}


def arrays(node: dict, path: str = "") -> set[str]:
    if "shape" in node["attributes"] or "shape" in node:
        return {path}
    return {found for name, child in node["members"].items() for found in arrays(child, f"{path}/{name}")}


def test_attributes_are_a_stac_item(l2a):
    attributes = swath.open_product(l2a).attrs
    properties, other = attributes["stac_discovery"]["properties"], attributes["other_metadata"]
    assert attributes["stac_discovery"]["id"] == l2a.name.removesuffix(".SAFE")
    assert (properties["product:type"], properties["processing:level"]) == ("S02MSIL2A", "L2A")
    assert (properties["grid:code"], properties["proj:code"]) == ("MGRS-01KAB", "EPSG:32701")
    assert (properties["eo:cloud_cover"], properties["eo:snow_cover"]) == (59.050727, 0.0)
    assert properties["eopf:datastrip_id"].startswith("S2A_OPER_MSI_L2A_DS_2APS")
    assert "b10" not in [band["name"] for band in properties["bands"]]
    assert (other["ozone_value"], other["aot_retrieval_model"]) == (273.952164, "CAMS")
    assert other["image_content"]["vegetation_percentage"] == 6.669225000000001


def test_products_of_sen2cor_with_long_names_read_the_same(l2a, old_l2a):
    new, old = swath.open_product(l2a), swath.open_product(old_l2a)
    assert old.attrs["stac_discovery"]["id"] == old_l2a.name.removesuffix(".SAFE")
    assert old.attrs["stac_discovery"]["properties"]["grid:code"] == "MGRS-01KAB"
    assert old.attrs["other_metadata"]["quality_checks"]["L2A_QUALITY"] == "PASSED"
    for group in ("/quality/atmosphere", "/quality/probability", "/conditions/mask/l2a_classification"):
        for resolution, node in new[group].children.items():
            for name, array in node.data_vars.items():
                np.testing.assert_array_equal(old[f"{group}/{resolution}/{name}"], array)
    for resolution, node in new["/measurements/reflectance"].children.items():
        for name, array in node.data_vars.items():
            # There were no offsets then.
            np.testing.assert_allclose(
                old[f"/measurements/reflectance/{resolution}/{name}"], array + 0.1, rtol=1e-12
            )
