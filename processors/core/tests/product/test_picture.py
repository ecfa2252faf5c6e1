"""Quick looks of products: which images they show, which way up, and what is refused."""

import imagecodecs
import numpy as np
import pytest
import swath
import xarray as xr
from swath.errors import DestinationError, InputError
from swath.product import write_picture
from swath.product.picture import SHOWN


def product(kind: str, groups: dict[str, xr.Dataset]) -> xr.DataTree:
    attributes = {"stac_discovery": {"properties": {"product:type": kind}}}
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), **groups})


def swath_group(names: list[str], *, north: bool = False, west: bool = False, shape=(40, 60)) -> xr.Dataset:
    """Return images that are brighter in the north and darker in the west, with the place of each pixel."""
    row, column = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float64)
    latitude = 50 - (-1 if north else 1) * 0.01 * row
    longitude = 179.8 + (-1 if west else 1) * 0.01 * column
    image = (latitude - latitude.min()) + (longitude - longitude.min()) / 4
    dims = ("rows", "columns")
    places = {"latitude": (dims, latitude), "longitude": (dims, (longitude + 180) % 360 - 180)}
    return xr.Dataset(dict.fromkeys(names, (dims, image)), places).chunk({"rows": 16, "columns": 25})


def pixels(path) -> np.ndarray:
    return imagecodecs.png_decode(path.read_bytes()).astype(int)


@pytest.mark.parametrize("north", [False, True])
@pytest.mark.parametrize("west", [False, True])
def test_north_is_at_the_top_and_east_at_the_right_across_the_antimeridian(tmp_path, north, west):
    group = swath_group([f"sdr_oa{k:02}" for k in (8, 6, 4)], north=north, west=west)
    write_picture(product("S03SYNSDR", {"/measurements/olci": group}), tmp_path / "p.png")
    grey = pixels(tmp_path / "p.png")[..., 0]
    assert (np.diff(grey, axis=0) <= 0).all()
    assert (np.diff(grey, axis=1) >= 0).all()
    assert grey[0, -1] == 255
    assert grey[-1, 0] == 0


def test_tie_points_tell_the_way_up_where_pixels_have_no_place(tmp_path):
    image = swath_group(["oa04_radiance", "oa06_radiance", "oa08_radiance"], north=True)
    ties = image[["latitude", "longitude"]].reset_coords()[{"columns": slice(None, None, 20)}]
    tree = product(
        "S03OLCERR",
        {"/measurements": image.drop_vars(["latitude", "longitude"]), "/conditions/geometry": ties},
    )
    write_picture(tree, tmp_path / "p.png")
    assert pixels(tmp_path / "p.png")[0, 0, 0] > pixels(tmp_path / "p.png")[-1, 0, 0]


def test_a_grey_surface_is_grey_in_radiances_of_slstr(tmp_path):
    """Irradiance of the sun is six times smaller at 1.6 µm than at 0.66 µm."""
    names = [f"s{k}_radiance_an" for k in (5, 3, 2)]
    group = swath_group(names)
    for name, irradiance in zip(names, (248, 956, 1526), strict=True):
        group[name] = group[name] * irradiance
    shown = write_picture(product("S03SLSRBT", {"/measurements/anadir": group}), tmp_path / "p.png")
    assert "1610" in shown.what
    colours = pixels(tmp_path / "p.png")
    assert np.abs(colours[..., :1] - colours[..., :3]).max() <= 1


def test_slstr_at_night_shows_the_thermal_band_with_cold_clouds_white(tmp_path):
    day = swath_group([f"s{k}_radiance_an" for k in (5, 3, 2)])
    night = day.map(lambda image: image * np.nan)
    thermal = swath_group(["s8_bt_in"], shape=(20, 30))
    tree = product("S03SLSRBT", {"/measurements/anadir": night, "/measurements/inadir": thermal})
    shown = write_picture(tree, tmp_path / "p.png")
    assert shown.images == ("measurements/inadir/s8_bt_in",)
    grey = pixels(tmp_path / "p.png")[..., 0]
    assert grey.shape == (20, 30)
    assert grey[0, -1] == 0  # the warmest
    assert grey[-1, 0] == 255


def test_the_numbers_of_a_real_window_are_seen(small_efr, tmp_path):
    shown = write_picture(swath.open_product(small_efr), tmp_path / "p.png")
    assert shown.images == tuple(f"measurements/oa{k:02}_radiance" for k in (8, 6, 4))
    picture = pixels(tmp_path / "p.png")
    assert picture.shape == (20, 54, 4)
    assert (picture[:, :34, 3] == 0).all()  # nothing was measured there
    assert (picture[:, 34:, 3] == 255).all()
    assert picture[:, 34:, :3].std() > 20


def test_every_image_that_is_shown_is_one_of_the_models(samples):
    import gzip
    import json

    kinds = {"S03OLC1": "S03OLCEFR", "S03OLC2": "S03OLCLFR", "S02MSI": "S02MSIL1C"}
    for kind, options in SHOWN.items():
        with gzip.open(samples / f"eopf/cpm_2.8.1_models/{kinds.get(kind, kind)}.json.gz") as file:
            model = json.load(file)["variables"]
        assert {f"/{path}" for path in options[0].images} <= set(model)


def test_images_that_are_named_are_shown(tmp_path):
    group = swath_group(["a", "b", "c"])
    tree = product("else", {"/g": group})
    assert write_picture(tree, tmp_path / "p.png", images=["g/a"]).images == ("g/a",)
    write_picture(tree, tmp_path / "p.png", images=["g/a", "g/b", "g/c"], overwrite=True, largest=10)
    assert max(pixels(tmp_path / "p.png").shape[:2]) <= 10


@pytest.mark.parametrize(
    ("images", "told"),
    [
        ([], "nothing to show of a product of type else"),
        (["g/none"], "no image g/none"),
        (["g/a", "g/b"], "one image or three of one size"),
        (["g/a", "g/b", "h/d"], "one image or three of one size"),
        (["g/line"], "g/line is no image"),
    ],
)
def test_what_cannot_be_shown_is_refused_and_nothing_is_left(tmp_path, images, told):
    group = swath_group(["a", "b"]).assign(line=("rows", np.arange(40.0)))
    tree = product("else", {"/g": group, "/h": swath_group(["d"], shape=(20, 30))})
    with pytest.raises(InputError, match=told):
        write_picture(tree, tmp_path / "p.png", images=images)
    assert list(tmp_path.iterdir()) == []


def test_only_pictures_are_replaced(tmp_path):
    tree = product("else", {"/g": swath_group(["a"])})
    (tmp_path / "p.png").write_text("my notes")
    with pytest.raises(DestinationError, match="exists already"):
        write_picture(tree, tmp_path / "p.png", images=["g/a"])
    with pytest.raises(DestinationError, match="not a file of the same kind"):
        write_picture(tree, tmp_path / "p.png", images=["g/a"], overwrite=True)
    assert (tmp_path / "p.png").read_text() == "my notes"
