"""Where images lie is told by CF, and other programs understand it; the product comes back as it was."""

import h5py
import mapped
import numpy as np
import pytest
import rasterio
import rasterio.warp
import swath
import xarray as xr
from swath.product import Grid, cut_window, write_netcdf

PATH = "measurements/r10m"


@pytest.fixture(params=["zarr2", "zarr3", "netcdf"])
def written(request, tmp_path):
    tree = mapped.product()
    if request.param == "netcdf":
        write_netcdf(tree, tmp_path / "p.nc")
        return tmp_path / "p.nc"
    swath.write_product(tree, tmp_path / "p.zarr", zarr_format=int(request.param[-1]))
    return tmp_path / "p.zarr"


def opened_by_xarray(path):
    engine = "zarr" if path.suffix == ".zarr" else "h5netcdf"
    return xr.open_dataset(path, group=PATH, engine=engine, decode_coords="all")


def test_xarray_finds_the_reference_system_as_a_coordinate(written):
    with opened_by_xarray(written) as dataset:
        mapping = dataset["b02"].encoding["grid_mapping"]
        assert mapping == dataset["index"].encoding["grid_mapping"] == "spatial_ref"
        told = dataset.coords[mapping].attrs
        assert rasterio.crs.CRS.from_wkt(told["crs_wkt"]).to_epsg() == 32755
        assert told["grid_mapping_name"] == "transverse_mercator"
        assert dataset["x"].attrs["standard_name"] == "projection_x_coordinate"
        assert dataset["y"].attrs == {"standard_name": "projection_y_coordinate", "units": "m", "axis": "Y"}


def test_the_product_comes_back_as_it_was(written):
    again = swath.open_product(written)
    expected = mapped.product()
    xr.testing.assert_identical(again.load(), expected.load())
    assert Grid.of(again[PATH]) == mapped.GRID


def test_gdal_places_netcdf(tmp_path):
    write_netcdf(mapped.product(), tmp_path / "p.nc")
    with rasterio.open(f'NETCDF:"{tmp_path}/p.nc":/{PATH}/b02') as file:
        assert file.crs.to_epsg() == 32755
        assert file.transform[:6] == pytest.approx(mapped.GRID.transform)


@pytest.mark.parametrize("code", [32755, 32633, 3035, 3031, 3413, 5070, 2154, 4326, 3395])
def test_parameters_of_projections_are_those_of_cf(tmp_path, code):
    """GDAL is given them without WKT, and makes the same reference system of them."""
    step = 1e-4 if code == 4326 else 10.0
    grid = Grid((40, 40), (step, 0.0, 100.0, 0.0, -step, 50.0), f"EPSG:{code}")
    write_netcdf(mapped.product(grid), tmp_path / "p.nc")
    with h5py.File(tmp_path / "p.nc", "r+") as file:
        for key in ("crs_wkt", "spatial_ref", "GeoTransform"):
            del file[PATH]["spatial_ref"].attrs[key]
    with rasterio.open(f'NETCDF:"{tmp_path}/p.nc":/{PATH}/b02') as file:
        found, expected = file.crs, rasterio.crs.CRS.from_epsg(code)
        assert file.transform[:6] == pytest.approx(grid.transform)
    points = {4326: ([100.0], [50.0])}.get(code, ([500000.0, 700000.0], [1000000.0, 1500000.0]))
    places = [rasterio.warp.transform(crs, "EPSG:4326", *points) for crs in (found, expected)]
    np.testing.assert_allclose(places[0], places[1], atol=1e-5)


def test_a_window_tells_its_own_place(tmp_path):
    swath.write_product(cut_window(mapped.product(), "rows 10:20, columns 30:50"), tmp_path / "p.zarr")
    with opened_by_xarray(tmp_path / "p.zarr") as dataset:
        assert dataset["spatial_ref"].attrs["GeoTransform"] == "500280.0 10.0 0.0 6899940.0 0.0 -10.0"


def test_degrees_are_told_as_degrees(tmp_path):
    grid = Grid((40, 40), (1e-4, 0.0, 147.0, 0.0, -1e-4, -28.0), "EPSG:4326")
    write_netcdf(mapped.product(grid), tmp_path / "p.nc")
    with opened_by_xarray(tmp_path / "p.nc") as dataset:
        assert dataset["spatial_ref"].attrs["grid_mapping_name"] == "latitude_longitude"
        assert dataset["x"].attrs["units"] == "degrees_east"
    again = Grid.of(swath.open_product(tmp_path / "p.nc")[PATH])
    assert again == grid


def test_the_grid_mapping_of_another_program_is_understood(tmp_path):
    told = {"crs_wkt": rasterio.crs.CRS.from_epsg(32755).to_wkt(version="WKT2_2019")}
    x, y = (np.arange(n) * step + start for n, step, start in ((6, 10.0, 499985.0), (4, -10.0, 6900035.0)))
    dataset = xr.Dataset(
        {"v": (("y", "x"), np.ones((4, 6)), {"grid_mapping": "crs"}), "crs": ((), 0, told)}, {"y": y, "x": x}
    )
    dataset.to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    found = swath.open_product(tmp_path / "other.nc")
    assert Grid.of(found["v"]) == Grid((4, 6), (10.0, 0.0, 499980.0, 0.0, -10.0, 6900040.0), "EPSG:32755")
    assert "crs" not in found.data_vars


def test_a_reference_system_of_no_registry_stays_as_it_is(tmp_path):
    own = rasterio.crs.CRS.from_string("+proj=laea +lat_0=51.3 +lon_0=7.1 +ellps=GRS80")
    told = {"crs_wkt": own.to_wkt(), "grid_mapping_name": "lambert_azimuthal_equal_area"}
    axes = {"y": [2.0, 1.0], "x": [1.0, 2.0]}
    dataset = xr.Dataset(
        {"v": (("y", "x"), np.ones((2, 2)), {"grid_mapping": "crs"}), "crs": ((), 0, told)}, axes
    )
    dataset.to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    found = swath.open_product(tmp_path / "other.nc")
    assert found["v"].attrs["grid_mapping"] == "crs"
    assert found["crs"].attrs["grid_mapping_name"] == "lambert_azimuthal_equal_area"
