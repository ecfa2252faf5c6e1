"""``swath convert``: losslessly, all or nothing."""

import imagecodecs
import numpy as np
import pystac
import pytest
import swath
import xarray as xr
from swath_cli import main


@pytest.fixture
def product(samples):
    return str(next(samples.glob("s2/S2A_MSIL1C_20171207*.zip")))


def status(*arguments):
    with pytest.raises(SystemExit) as caught:
        main(["convert", *map(str, arguments)])
    return caught.value.code


def test_a_product_is_converted_losslessly(product, tmp_path, capsys):
    assert status(product, tmp_path / "p.zarr") == 0
    assert "chunks read" in capsys.readouterr().err
    xr.testing.assert_identical(
        swath.open_product(tmp_path / "p.zarr").load(), swath.open_product(product).load()
    )


def test_parts_in_format_3_on_one_thread(product, tmp_path):
    options = [
        "--include",
        "measurements/*",
        "--zarr-format",
        "3",
        "--window",
        "rows 0:60, columns 6:66",
        "--workers",
        "1",
    ]
    assert status(product, tmp_path / "p.zarr", *options) == 0
    found = swath.open_product(tmp_path / "p.zarr")["/measurements/reflectance/r10m/b02"]
    whole = swath.open_product(product)["/measurements/reflectance/r10m/b02"]
    np.testing.assert_array_equal(found.values, whole.values[0:60, 6:66])
    assert "quality" not in swath.open_product(tmp_path / "p.zarr").children


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--include", "nothing/*"], "no variable fits"),
        (["--window", "rows 0:9999, columns 0:5"], "valid are 0:172"),
        (["--window", "here"], "cannot understand"),
        (["--zarr-format", "4"], "'4' is not one of"),
        (["--show", "measurements/reflectance/r10m/b02"], "--show is for a picture"),
        (["--to", "picture", "--item", "p.json"], "--item is for products"),
        (["--to", "picture", "--show", "measurements/b02"], "no image measurements/b02"),
    ],
)
def test_bad_options_write_nothing(product, tmp_path, capsys, options, told):
    assert status(product, tmp_path / "p.zarr", *options) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_what_exists_is_kept_unless_told_otherwise(product, tmp_path, capsys):
    (tmp_path / "p.zarr").mkdir()
    (tmp_path / "p.zarr" / "mine").write_text("mine")
    assert status(product, tmp_path / "p.zarr") == 2
    assert "exists already" in capsys.readouterr().err
    assert status(product, tmp_path / "p.zarr", "--overwrite") == 2
    assert "not a product" in capsys.readouterr().err
    assert (tmp_path / "p.zarr" / "mine").read_text() == "mine"
    (tmp_path / "p.zarr" / ".zgroup").touch()
    assert status(product, tmp_path / "p.zarr", "--overwrite", "--include", "*/b01") == 0
    assert not (tmp_path / "p.zarr" / "mine").exists()


@pytest.mark.parametrize("destination", ["folder", "folder/p.zarr", "folder/p.zarr/part"])
def test_a_destination_never_swallows_the_product(product, tmp_path, capsys, destination):
    (tmp_path / "folder").mkdir()
    assert status(product, tmp_path / "folder/p.zarr") == 0
    options = ["--include", "*/r60m/b01", "--overwrite"]
    assert status(tmp_path / "folder/p.zarr", tmp_path / destination, *options) == 2
    told = capsys.readouterr().err
    assert "lie in one another" in told or "is not a product" in told
    assert len(swath.open_product(tmp_path / "folder/p.zarr").groups) > 10


def test_images_become_cogs_with_an_item(product, tmp_path, capsys):
    assert status(product, tmp_path / "p", "--to", "cog", "--band", "b01", "--band", "b09") == 0
    assert "left out, because they are on no map grid: conditions/geometry/" in capsys.readouterr().err
    found = swath.open_product(tmp_path / "p")["measurements/reflectance/r60m"]
    expected = swath.open_product(product)["measurements/reflectance/r60m"]
    np.testing.assert_array_equal(found["b09"], expected["b09"])
    assert set(found.data_vars) == {"b01", "b09"}


def test_a_picture_shows_a_part_in_true_colour(product, tmp_path, capsys):
    window = ["--window", "rows 0:60, columns 6:66"]
    assert status(product, tmp_path / "p.png", *window) == 0
    assert "shows true colour, 10 m" in capsys.readouterr().err
    assert imagecodecs.png_decode((tmp_path / "p.png").read_bytes()).shape == (60, 60, 4)
    assert status(product, tmp_path / "p.png", *window) == 2
    assert "--overwrite" in capsys.readouterr().err


def test_an_item_and_a_collection_are_written_beside_the_product(product, tmp_path):
    for name in ("one", "two"):
        options = [
            "--include",
            "*/r60m/b01",
            "--item",
            tmp_path / f"{name}.json",
            "--collection",
            tmp_path / "c.json",
        ]
        assert status(product, tmp_path / f"{name}.zarr", *options) == 0
    collection = pystac.Collection.from_file(str(tmp_path / "c.json"))
    (item,) = collection.get_items()  # of the same product: the second one has replaced the first
    assert item.assets["product"].get_absolute_href() == str(tmp_path / "two.zarr")
    assert item.assets["product"].media_type == "application/vnd+zarr"


def test_overviews_are_written_where_there_is_something_to_make_them_of(product, tmp_path, capsys):
    assert status(product, tmp_path / "p.zarr", "--overviews", "--include", "*/b02") == 2
    assert "leave that option out" in capsys.readouterr().err
    assert status(product, tmp_path / "p.nc", "--overviews") == 2
    assert "--overviews are for Zarr" in capsys.readouterr().err
    assert status(product, tmp_path / "p.zarr", "--collection", tmp_path / "c.json") == 2
    assert "--item" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("red.tif", "pass --to cog"),
        ("red.TIFF", "pass --to cog"),
        ("red.h5", "end it with .nc"),
        ("p.zip", "by --to"),
    ],
)
def test_a_name_of_another_kind_of_file_is_not_made_a_folder_of_zarr(
    practice_zarr, tmp_path, capsys, name, told
):
    assert status(practice_zarr, tmp_path / name) == 2
    assert told in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["--item", "--collection"])
@pytest.mark.parametrize(("folder", "told"), [("absent", "no folder"), ("file", "is a file")])
def test_where_a_stac_file_cannot_go_is_told_before_the_product_is_written(
    practice_zarr, tmp_path, capsys, option, folder, told
):
    (tmp_path / "file").write_text("mine")
    files = {"--item": tmp_path / "item.json", option: tmp_path / folder / "x.json"}
    assert status(practice_zarr, tmp_path / "p.zarr", *(word for pair in files.items() for word in pair)) == 2
    assert told in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
