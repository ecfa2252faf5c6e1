"""The contract of all readers, kept by those of Sentinel-1."""

import shutil

import pytest
import xarray as xr
from swath.testing import ReaderContract


class TestLevel0(ReaderContract):
    metadata = ("manifest.safe",)
    measurements = ("s1a-iw-raw-s-v?-*[0-9].dat",)

    @pytest.fixture
    def product(self, level0):
        return level0


class TestSlc(ReaderContract):
    metadata = ("manifest.safe", "annotation/*.xml", "annotation/calibration/*.xml")
    measurements = ("measurement/*.tiff",)

    @pytest.fixture
    def product(self, slc, tmp_path_factory):
        ignored = shutil.ignore_patterns("*vh*", "support")
        return shutil.copytree(slc, tmp_path_factory.mktemp("slc") / slc.name, ignore=ignored)

    def written(self, tree):
        datasets = {"/": tree.to_dataset()}
        for node in tree["S01SIWSLC_20210401T052622_0028_B168_EFA4_032297_VV_IW1_2"].subtree:
            dataset = node.to_dataset(inherit=False)
            if "slc" in dataset:
                dataset = dataset.isel(azimuth_time=slice(90, 200), slant_range_time=slice(500, 900)).chunk(
                    60
                )
            datasets[node.path] = dataset
        return xr.DataTree.from_dict(datasets)


class TestGrd(ReaderContract):
    metadata = ("manifest.safe", "annotation/*.xml", "annotation/calibration/*.xml")
    measurements = ("measurement/*.tiff",)

    @pytest.fixture
    def product(self, grd):
        return grd


class TestCalibration(ReaderContract):
    metadata = ("manifest.safe", "data/*.xml")

    @pytest.fixture
    def product(self, samples):
        return next((samples / "s1/aux").glob("S1B_AUX_INS*"))


class TestOrbit(ReaderContract):
    metadata = ("*.EOF",)

    @pytest.fixture
    def product(self, samples, tmp_path_factory):
        folder = tmp_path_factory.mktemp("orbit") / "orbit"
        folder.mkdir()
        shutil.copy(next((samples / "s1/orbits").glob("*.EOF")), folder)
        return folder
