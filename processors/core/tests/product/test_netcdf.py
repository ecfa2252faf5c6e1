"""NetCDF written and read: what products have survives, and other readers agree."""

import resource
import signal

import h5netcdf
import numpy as np
import pytest
import rasterio
import swath
import swath.errors
import xarray as xr
from swath.errors import DestinationError, InputError, WriteError
from swath.io import metering
from swath.product import write_netcdf


@pytest.fixture(scope="module")
def written(modern_safe, tmp_path_factory):
    path = tmp_path_factory.mktemp("netcdf") / "product.nc"
    write_netcdf(swath.open_product(modern_safe), path)
    return path


def test_a_product_comes_back_identical(written, modern_safe):
    """Scaled integers with offsets, flags, grids, nested and array-valued attributes."""
    original, again = swath.open_product(modern_safe), swath.open_product(written)
    xr.testing.assert_identical(again.load(), original.load())


def test_numbers_are_stored_packed_and_deflated(written, modern_safe):
    image = next(modern_safe.glob("GRANULE/*/IMG_DATA/*_B02.jp2"))
    with h5netcdf.File(written) as file, rasterio.open(image) as source:
        stored = file["measurements/reflectance/r10m/b02"]
        np.testing.assert_array_equal(stored[...], source.read(1))
        assert stored.dtype == np.uint16
        assert (stored.chunks, stored.compression, stored.shuffle) == ((64, 64), "gzip", True)
        assert stored.attrs["scale_factor"] == 1e-4
        flags = file["quality/mask/r10m/b02"]
        assert flags.attrs["flag_masks"].dtype == flags.dtype
        assert file.attrs["Conventions"] == "CF-1.11"


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_xarray_and_gdal_read_the_same(written, modern_safe):
    path = "measurements/reflectance/r60m"
    expected = swath.open_product(modern_safe)[path]["b01"].values
    with xr.open_dataset(written, group=path, engine="h5netcdf") as dataset:
        np.testing.assert_array_equal(dataset["b01"].values, expected)
    with (
        rasterio.Env(GDAL_NETCDF_BOTTOMUP="NO"),
        rasterio.open(f'NETCDF:"{written}":/{path}/b01') as file,
    ):
        stored = file.read(1, masked=True)
        found = (stored * file.scales[0] + file.offsets[0]).filled(np.nan)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_reading_is_chunk_by_chunk(written):
    array = swath.open_product(written)["/measurements/reflectance/r10m/b02"]
    source = swath.chunk_source(array)
    with metering.reading() as read:
        array[70:80, 70:80].compute()
    assert read.counts == metering.Counts(bytes=source.chunk_bytes(1, 1), requests=1, chunks=1)


def test_attributes_that_netcdf_has_no_form_for_survive(tmp_path):
    attributes = {
        "one": [1], "none": None, "nested": {"a": [1, {"b": "é"}]}, "texts": ["a", "b"], "yes": True,
        "mixed": [1, "a"], "numbers": [1, 2, 3], "reals": [0.5, 1.5], "empty": [],
    }  # fmt: skip
    tree = xr.DataTree.from_dict({"/a": xr.Dataset({"v": ("x", [1.0, 2.0], attributes)}, attrs=attributes)})
    write_netcdf(tree, tmp_path / "a.nc")
    again = swath.open_product(tmp_path / "a.nc")
    for found in (again["a"].attrs, again["a/v"].attrs):
        assert {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in found.items()} == attributes


def test_a_classic_file_opens_as_a_product(samples):
    name = "S3A_OL_1_EFR____20170313T110342_20170313T110642_20170314T162839_0179_015_208_2520_LN1_O_NT_002.nc"
    tree = swath.open_product(samples / "s3/l1b_subset" / name)
    radiance = tree["Oa01_radiance"]
    assert radiance.shape == (41, 49)
    assert 40 < float(radiance.mean()) < 200
    assert tree["quality_flags"].dtype == np.uint32


def test_complex_numbers_are_refused_before_anything_is_written(tmp_path):
    tree = xr.DataTree.from_dict({"/a": xr.Dataset({"v": ("x", [1j])})})
    with pytest.raises(InputError, match="complex numbers"):
        write_netcdf(tree, tmp_path / "a.nc")
    assert not list(tmp_path.iterdir())


def test_only_a_netcdf_file_is_overwritten(tmp_path):
    tree = xr.DataTree.from_dict({"/a": xr.Dataset({"v": ("x", [1.0])})})
    write_netcdf(tree, tmp_path / "a.nc")
    with pytest.raises(DestinationError, match="exists already"):
        write_netcdf(tree, tmp_path / "a.nc")
    write_netcdf(tree, tmp_path / "a.nc", overwrite=True)
    (tmp_path / "thesis.nc").write_text("years of work")
    with pytest.raises(DestinationError, match="not a file of the same kind"):
        write_netcdf(tree, tmp_path / "thesis.nc", overwrite=True)
    assert (tmp_path / "thesis.nc").read_text() == "years of work"


def test_a_full_disk_leaves_nothing(tmp_path):
    data = np.random.default_rng(1).random(50_000)
    tree = xr.DataTree.from_dict({"/a": xr.Dataset({"v": ("x", data)})})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
    try:
        with pytest.raises(WriteError, match="cannot write"):
            write_netcdf(tree, tmp_path / "a.nc")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert not list(tmp_path.iterdir())


def test_a_chunk_that_cannot_be_computed_leaves_nothing(tmp_path):
    import dask.array as da

    def fail(block):
        raise ValueError("no")

    data = da.ones((4, 4), chunks=2).map_blocks(fail, dtype=float)
    tree = xr.DataTree.from_dict({"/a": xr.Dataset({"v": (("y", "x"), data)})})
    with pytest.raises(swath.errors.RunError, match="could not be computed"):
        write_netcdf(tree, tmp_path / "a.nc")
    assert not list(tmp_path.iterdir())
