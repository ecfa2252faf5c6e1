"""The product that eopf 2.8.1 made of the SLC sample opens, with the numbers that are read of the SAFE."""

import shutil
import zipfile

import numpy as np
import pytest
import swath

SLC = "s1/safe/S1B_IW_SLC__1SDV_20210401T052622_20210401T052650_026269_032297_EFA4.SAFE"
THEIRS = "eopf/S01SIWSLC_20210401T052622_0027_B168_T8BD.zarr.zip"
BURST = "S01SIWSLC_20210401T052622_0028_B150_EFA4_032297_VH_IW1_1"

OTHERWISE = {
    "conditions/gcp/azimuth_time": "the mean of a row of points there, that of its first point here",
    "conditions/gcp/azimuth_time_gcp": "counted in single precision there",
    "conditions/doppler_centroid/degree": "2, 1, 0 there; the annotation has the constant first",
    "conditions/doppler_centroid/fine_dce_azimuth_start_time": "no time there, but false",
    "conditions/doppler_centroid/fine_dce_azimuth_stop_time": "no time there, but false",
    "measurements/azimuth_time": "whole microseconds there",
    "conditions/burst_info/azimuth_time": "whole microseconds there",
}
"""What is not the same, and why."""


def test_a_product_of_products_that_are_consolidated_each_by_itself_opens(samples):
    """Metadata at the root tell nothing of the bursts; the last one had not been consolidated at all."""
    theirs = swath.open_product(samples / THEIRS)
    assert len(theirs.children) == 8
    assert {"measurements", "conditions", "quality"} <= set(theirs.children[BURST].children)
    assert theirs[BURST.replace("IW1_1", "IW2_2")]["quality/noise_range/noise_range_lut"].shape == (11, 629)


def test_its_numbers_are_those_that_are_read_of_the_safe(samples):
    theirs = swath.open_product(samples / THEIRS)[BURST]
    ours = swath.open_product(samples / SLC)[BURST.replace("B150", "B168")]  # its relative orbit is 168
    checked, differing = set(), set()
    for node in theirs.subtree:
        group = node.path.removeprefix(theirs.path).strip("/")
        for name in node.to_dataset(inherit=False).variables:
            there, here = node[name].values, ours[group][name].values
            same = there.shape == here.shape and there.dtype.kind == here.dtype.kind
            if same and there.dtype.kind in "fc":
                same = np.allclose(there, here, rtol=1e-6, equal_nan=True)
            elif same:
                same = (there == here).all()
            (checked if same else differing).add(f"{group}/{name}")
    assert differing == set(OTHERWISE)
    assert len(checked) > 60
    assert {"measurements/slc", "quality/calibration/sigma_nought", "conditions/orbit/position"} <= checked


@pytest.mark.parametrize("folder", [True, False])
def test_it_opens_in_object_storage_without_a_list_of_its_chunks(samples, tmp_path, s3, folder):
    with zipfile.ZipFile(samples / THEIRS) as archive:
        kept = [name for name in archive.namelist() if "IW1_0" in name or "IW1_1" in name or "/" not in name]
        archive.extractall(tmp_path, kept)
    target = s3.bucket / f"theirs{folder}.zarr"
    if folder:
        shutil.copytree(tmp_path, target)
    else:
        with zipfile.ZipFile(target, "w") as archive:
            for path in sorted(path for path in tmp_path.rglob("*") if path.is_file()):
                archive.write(path, path.relative_to(tmp_path).as_posix())
    there = swath.open_product(f"s3://bucket/{target.name}")
    assert set(there.children) == {BURST, BURST.replace("IW1_1", "IW1_0")}
    assert there[BURST]["quality/calibration/sigma_nought"].size
