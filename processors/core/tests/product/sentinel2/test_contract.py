"""The contract of all readers, kept by those of Sentinel-2."""

import pytest
import xarray as xr
from swath.testing import ReaderContract


def few(tree: xr.DataTree) -> xr.DataTree:
    """Return a product with two groups of images, so that writing it is quick."""
    kept = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        images = {"y", "x"} <= set(dataset.dims)
        if not images or node.path.endswith(("reflectance/r60m", "quality/mask/r60m", "geometry")):
            kept[node.path] = dataset
    return xr.DataTree.from_dict(kept)


class TestL1C(ReaderContract):
    metadata = ("MTD_MSIL1C.xml", "GRANULE/*/MTD_TL.xml")
    measurements = ("GRANULE/*/IMG_DATA/*_B0[15].jp2", "GRANULE/*/QI_DATA/MSK_DETFOO_B04.gml")

    @pytest.fixture
    def product(self, sample_safe):
        return sample_safe

    def written(self, tree):
        return few(tree)


class TestL2A(ReaderContract):
    metadata = ("MTD_MSIL2A.xml", "GRANULE/*/MTD_TL.xml")
    measurements = (
        "GRANULE/*/IMG_DATA/R60m/*_B04_60m.jp2",
        "GRANULE/*/IMG_DATA/R20m/*_SCL_20m.jp2",
        "GRANULE/*/IMG_DATA/R10m/*_AOT_10m.jp2",
        "GRANULE/*/QI_DATA/MSK_CLDPRB_20m.jp2",
        "GRANULE/*/QI_DATA/MSK_QUALIT_B01.jp2",
    )

    @pytest.fixture
    def product(self, l2a):
        return l2a

    def written(self, tree):
        return few(tree)


class TestL2AWithLongNames(ReaderContract):
    metadata = ("S2A_USER_MTD_SAFL2A_*.xml", "GRANULE/*/S2A_USER_MTD_L2A_TL_*.xml")
    measurements = ("GRANULE/*/IMG_DATA/R60m/*_B04_60m.jp2", "GRANULE/*/QI_DATA/S2A_USER_CLD_L2A_*_20m.jp2")

    @pytest.fixture
    def product(self, old_l2a):
        return old_l2a

    def written(self, tree):
        return few(tree)


class TestL1CWithLongNames(ReaderContract):
    metadata = ("S2A_OPER_MTD_SAFL1C_*.xml", "GRANULE/*/S2A_OPER_MTD_L1C_TL_*.xml")
    measurements = ("GRANULE/*/IMG_DATA/*_B01.jp2",)

    @pytest.fixture
    def product(self, old_l1c):
        return old_l1c

    def written(self, tree):
        return few(tree)


class TestDatastrip(ReaderContract):
    metadata = ("S2B_OPER_MTD_L0__DS_*.xml",)

    @pytest.fixture
    def product(self, datastrip):
        return datastrip


class TestGranule(ReaderContract):
    metadata = ("S2B_OPER_MTD_L0__GR_*.xml",)

    @pytest.fixture
    def product(self, level0):
        return next(level0.glob("S2B_OPER_MSI_L0__GR_*"))


class TestUnconsolidatedDatastrip(ReaderContract):
    metadata = ("S2B_OPER_MTD_L0U_DS_*.xml",)

    @pytest.fixture
    def product(self, level0):
        return next(level0.glob("DT35/DS/S2B_OPER_MSI_L0U_DS_*"))
