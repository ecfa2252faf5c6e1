"""``swath ls`` and ``swath validate``: for people and for machines."""

import json

import pytest
import swath
from swath_cli import main


@pytest.fixture
def product(samples):
    return str(next(samples.glob("s3/S3A_OL_1_EFR____20200101*")))


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as caught:
        main([*map(str, arguments)])
    told = capsys.readouterr()
    return caught.value.code, told.out, told.err


def test_people_see_a_tree(product, capsys):
    status, told, _ = run(capsys, "ls", product)
    assert status == 0
    for text in (
        "conditions/", "quality_flags  (rows: 4091, columns: 4865)  uint32  819 x 973  75.9 MiB",
        "sza  (rows: 4091, columns: 77)  float64 (stored uint32)  4091 x 77", "latitude",
    ):  # fmt: skip
        assert text in told


def test_machines_get_json_of_what_the_filters_leave(product, capsys):
    options = ["--include", "quality/*", "--window", "rows 0:10, columns 0:20", "--json"]
    status, told, _ = run(capsys, "ls", product, *options)
    assert status == 0
    (stamp, flags) = json.loads(told)
    assert (stamp["path"], stamp["coordinate"]) == ("/quality/time_stamp", True)
    assert flags == {
        "path": "/quality/quality_flags", "dimensions": {"rows": 10, "columns": 20}, "dtype": "uint32",
        "stored_dtype": "uint32", "chunks": [10, 20], "bytes": 800, "coordinate": False,
    }  # fmt: skip


def test_validate_ends_with_1_on_findings(product, capsys):
    status, told, summary = run(capsys, "validate", product)
    assert status == 1
    assert "error: /measurements/oa01_radiance is missing" in told
    assert "errors," in summary
    status, told, _ = run(capsys, "validate", product, "--json")
    found = json.loads(told)
    assert (status, found["valid"]) == (1, False)
    assert {"level": "error", "path": "/measurements/oa01_radiance", "told": "is missing"} in found[
        "findings"
    ]


def test_validate_ends_with_0_on_a_product_as_in_its_model(tmp_path, capsys):
    import numpy as np
    import xarray as xr
    from swath.product._models import load_model

    model = load_model("S03OLCL0_")
    datasets = {"/": xr.Dataset(attrs={"stac_discovery": {"properties": {"product:type": model.name}}})}
    for path, wanted in model.variables.items():
        group, _, name = path.rpartition("/")
        shape = tuple(2 for _ in wanted.dimensions)
        variable = (wanted.dimensions, np.zeros(shape, wanted.dtype))
        datasets[group] = datasets.get(group, xr.Dataset()).assign({name: variable})
    swath.write_product(xr.DataTree.from_dict(datasets), tmp_path / "p.zarr")
    assert run(capsys, "validate", tmp_path / "p.zarr")[0] == 0
    assert run(capsys, "validate", tmp_path / "p.zarr", "--strict")[0] == 1
    assert run(capsys, "validate", tmp_path / "p.zarr", "--model", "S03NOTHING")[0] == 2


def test_a_product_becomes_netcdf_and_back(product, tmp_path, capsys):
    where = ["--where", "quality/quality_flags: not invalid", "--window", "rows 0:30, columns 0:70"]
    assert run(capsys, "convert", product, tmp_path / "p.nc", *where)[0] == 0
    assert run(capsys, "convert", tmp_path / "p.nc", tmp_path / "p.zarr")[0] == 0
    one, other = (swath.open_product(tmp_path / name) for name in ("p.nc", "p.zarr"))
    assert (one["quality/quality_flags"].values == other["quality/quality_flags"].values).all()
    assert one["quality/quality_flags"].shape == (30, 70)
    assert run(capsys, "convert", product, tmp_path / "p.nc")[0] == 2
    assert run(capsys, "info", product, "--include", "quality/*")[0] == 0
