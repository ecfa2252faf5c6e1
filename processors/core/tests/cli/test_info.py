"""``swath info``: for people and for machines."""

import json

import pytest
import swath
from click.testing import CliRunner
from swath.cli import info
from swath_cli import main

HEAVY = {"numpy", "dask", "xarray", "zarr", "rasterio", "lxml", "rich"}


@pytest.fixture
def product(samples):
    return str(next(samples.glob("s2/S2A_MSIL1C_20171207*.zip")))


def test_people_are_told_what_a_product_is(product):
    told = CliRunner().invoke(info, [product])
    assert told.exit_code == 0
    for text in (
        "S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_20171207T032513", "sentinel-2a",
        "2017-12-07T00:20:51.026Z",
        "02.06", "EPSG:32755", "0.00 %", "/measurements/reflectance/r10m/b02", "172 x 172", "stored uint16",
    ):  # fmt: skip
        assert text in told.output


def test_machines_get_json(product):
    told = json.loads(CliRunner().invoke(info, [product, "--json"]).output)
    assert told["baseline"] == "02.06"
    assert told["cloud_cover"] == 0
    found = {variable["path"]: variable for variable in told["variables"]}
    assert found["/measurements/reflectance/r10m/b02"] == {
        "path": "/measurements/reflectance/r10m/b02", "dimensions": {"y": 172, "x": 172}, "chunks": [172,
        172], "dtype": "float64", "stored_dtype": "uint16", "bytes": 172 * 172 * 8,
    }  # fmt: skip
    weather = {path for path in found if path.startswith("/conditions/meteorology/ecmwf/")}
    assert len(weather) == 3
    assert len(found) == 4 + 13 * 3 + 1 + len(weather)


def test_a_place_with_nothing_is_usage_s_fault(tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        main(["info", str(tmp_path / "nothing")])
    assert caught.value.code == 2
    assert "error: nothing at" in capsys.readouterr().err


def test_help_has_examples():
    assert "Examples:\n    swath info S2A" in CliRunner().invoke(info, ["--help"]).output


def test_importing_swath_loads_no_array_library():
    import subprocess
    import sys

    script = f"import sys, swath, swath.cli; print({HEAVY} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    assert set(swath.__all__) <= set(dir(swath))
    with pytest.raises(AttributeError, match="nothing_such"):
        _ = swath.nothing_such


@pytest.mark.parametrize(
    ("arguments", "spared"),
    [
        (["info"], {"distributed", "imagecodecs", "pystac", "rasterio", "zarr"}),
        (["run", "practice", "--plan"], {"distributed", "imagecodecs", "pystac", "rasterio", "rich", "zarr"}),
    ],
)
def test_a_verb_loads_what_it_needs(product, practice_product, plugin, arguments, spared):
    import os
    import subprocess
    import sys

    given = product if arguments == ["info"] else str(practice_product)
    script = (
        "import sys\nfrom swath_cli import main\n"
        f"try:\n    main({[*arguments[:2], given, *arguments[2:]]!r})\n"
        f"finally:\n    print(sorted({spared!r} & set(sys.modules)), file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(plugin)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    assert done.stderr.splitlines()[-1] == "[]"
