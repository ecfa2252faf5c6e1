"""Mosaics of terrain: pixels are those of the tiles, and geoid and ellipsoid differ by EGM2008."""

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window
from swath.errors import InputError, ProductError
from swath.product.auxiliary import read_elevation


@pytest.fixture(scope="module")
def dem(samples):
    return samples / "aux/dem"


@pytest.fixture(scope="module")
def quarters(dem, tmp_path_factory):
    """Return four tiles that the tile of Los Angeles is cut into, and the tile's heights and transform."""
    folder = tmp_path_factory.mktemp("tiles")
    with rasterio.open(dem / "los_angeles_dem_geoid.tif") as file:
        whole, transform, crs = file.read(1), file.transform, file.crs
    rows, columns = whole.shape
    row, column = rows // 2, columns // 3
    paths = []
    for k, window in enumerate(
        [
            Window(0, 0, column, row),
            Window(column, 0, columns - column, row),
            Window(0, row, column, rows - row),
            Window(column, row, columns - column, rows - row),
        ]
    ):
        data = whole[window.toslices()]
        west, _, _, north = bounds(transform, (window.row_off, 0), (window.col_off, 0))
        place = rasterio.Affine(transform.a, 0, west, 0, transform.e, north)
        path = folder / f"{k}.tif"
        with rasterio.open(
            path, "w", driver="GTiff", width=data.shape[1], height=data.shape[0], count=1, dtype=data.dtype,
            crs=crs, transform=place,
        ) as file:  # fmt: skip
            file.write(data, 1)
        paths.append(path)
    return paths, whole, transform


def bounds(transform, rows, columns):
    """Return west, south, east and north of rows and columns of a tile."""
    west, east = (transform.c + transform.a * column for column in columns)
    north, south = (transform.f + transform.e * row for row in rows)
    return west, south, east, north


@pytest.mark.parametrize("window", [((0, 50), (0, 60)), ((100, 300), (50, 250)), ((160, 200), (0, 120))])
def test_pixels_across_tiles_are_those_of_the_whole(quarters, window):
    paths, whole, transform = quarters
    rows, columns = window
    found = read_elevation(paths, bounds(transform, rows, columns))
    expected = whole[slice(*rows), slice(*columns)]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-3)
    np.testing.assert_allclose(found.longitude[0], transform.c + transform.a * (columns[0] + 0.5))
    np.testing.assert_allclose(found.latitude[-1], transform.f + transform.e * (rows[1] - 0.5))
    assert found.attrs["units"] == "m"


def test_heights_above_the_ellipsoid_are_those_of_the_independent_pair(dem):
    """The pair was made by dem-stitcher: what we add to the heights above the geoid is EGM2008."""
    with rasterio.open(dem / "los_angeles_dem_ellipsoid.tif") as file:
        expected, place, missing = file.read(1), file.bounds, file.nodata
    found = read_elevation(
        dem / "los_angeles_dem_geoid.tif", tuple(place), geoid=dem / "egm_08_los_angeles.tif"
    )
    assert found.shape == expected.shape
    difference = np.abs(found.values - expected)[expected != missing]
    assert np.nanmax(difference) < 0.05
    assert np.nanmedian(difference) < 0.005
    assert found.attrs["standard_name"] == "height_above_reference_ellipsoid"


def test_nothing_is_read_before_it_is_computed(quarters, monkeypatch):
    from swath.product.auxiliary import _elevation

    paths, _, transform = quarters
    read = []
    monkeypatch.setattr(_elevation, "_warped", lambda path, *_: read.append(path) or np.zeros((10, 10), "f4"))
    found = read_elevation(paths, bounds(transform, (0, 10), (0, 10)))
    assert found.chunks
    assert not read
    found.compute()
    assert read == [str(paths[0])]


def test_a_place_without_a_tile_has_no_height(quarters):
    paths, whole, transform = quarters
    rows, columns = (-20, 30), (-15, 40)
    found = read_elevation(paths, bounds(transform, rows, columns)).values
    assert np.isnan(found[:20]).all()
    assert np.isnan(found[:, :15]).all()
    np.testing.assert_allclose(found[20:, 15:], whole[:30, :40], atol=1e-3)


def test_what_cannot_be_is_refused(dem, tmp_path):
    tile = dem / "los_angeles_dem_geoid.tif"
    with pytest.raises(InputError, match="none of 1 tiles touches"):
        read_elevation(tile, (10, 40, 11, 41))
    with pytest.raises(InputError, match="expected west < east"):
        read_elevation(tile, (11, 40, 10, 41))
    (tmp_path / "tile.tif").write_bytes(b"II*\0" + bytes(40))
    with pytest.raises(ProductError, match="cannot be read"):
        read_elevation(tmp_path / "tile.tif", (10, 40, 11, 41))
    path = tmp_path / "utm.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=4, height=4, count=1, dtype="float32", crs="EPSG:32633",
        transform=rasterio.Affine(30, 0, 500000, 0, -30, 4000000),
    ) as file:  # fmt: skip
        file.write(np.zeros((1, 4, 4), np.float32))
    with pytest.raises(ProductError, match="EPSG:32633, expected longitude and latitude"):
        read_elevation(path, (10, 40, 11, 41))
