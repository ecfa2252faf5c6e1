"""STAC items: valid by the schemas themselves, with nothing fetched, and true of the files they list."""

import hashlib
import json
import socket
from datetime import UTC, datetime

import numpy as np
import pystac
import pytest
from pystac.validation import stac_validator
from swath.errors import MetadataError
from swath.product import Grid
from swath.product.stac import ItemFile, item, multihash

GRID = Grid((86, 86), (1280.0, 0.0, 499980.0, 0.0, -1280.0, 6900040.0), "EPSG:32755")
DISCOVERY = {
    "id": "S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_20171207T032513.SAFE",
    "properties": {
        "datetime": "null",
        "start_datetime": "2017-12-07T00:20:51.026000+00:00",
        "end_datetime": "2017-12-07T00:20:51.026000+00:00",
        "platform": "sentinel-2a",
        "instrument": "msi",
        "constellation": "sentinel-2",
        "eopf:baseline": "02.06",
    },
}
FLAGS = {
    "flag_masks": np.array([1, 8], np.uint8),
    "flag_meanings": "no_data cloud",
    "long_name": "mask",
}
# The file extension is not among the sample schemas; these are two of its fields, as version 2.1.0 has them.
FILE_SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "$id": "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "properties": {
        "assets": {
            "additionalProperties": {
                "properties": {
                    "file:checksum": {"type": "string", "pattern": "^1220[a-f0-9]{64}$"},
                    "file:size": {"type": "integer", "minimum": 0},
                }
            }
        }
    },
}


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args):
        raise AssertionError(f"tried to reach {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def validator(samples):
    made = stac_validator.JsonSchemaSTACValidator()
    for path in (samples / "eopf" / "cpm_2.8.1_stac_schemas" / "extensions").glob("*.json"):
        schema = json.loads(path.read_text())
        made.schema_cache[schema["$id"].removesuffix("#")] = schema
    made.schema_cache[FILE_SCHEMA["$id"]] = FILE_SCHEMA
    return made


@pytest.fixture
def made(tmp_path) -> pystac.Item:
    (tmp_path / "cog").mkdir()
    (tmp_path / "product.zarr").mkdir()
    for name in ("cog/b04.tif", "cog/mask.tif", "quicklook.png"):
        (tmp_path / name).write_bytes(name.encode())
    red = {"long_name": "red", "units": "1", "eo:common_name": "red", "eo:center_wavelength": 0.665}
    return item(
        "s2-toa-test", grid=GRID, folder=tmp_path, discovery=DISCOVERY, lineage="resampled to 20 m, masked",
        software={"swath": "0.1.0"}, level="L1C",
        files=[
            ItemFile("product.zarr", "All variables", ("data",), {"b04": red, "mask": FLAGS}),
            ItemFile("cog/b04.tif", "Red", ("data", "reflectance"), {"b04": red}, raster=True),
            ItemFile("cog/mask.tif", "Mask", ("data",), {"mask": FLAGS}, raster=True),
            ItemFile("quicklook.png", "Quick look", ("overview",)),
        ],
    )  # fmt: skip


def test_is_valid_by_the_schemas_and_reaches_for_no_network(made, validator, no_network):
    checked = made.validate(validator=validator)
    assert len(checked) == 6
    assert {uri.split("/")[3] for uri in checked[1:]} == {
        "projection", "processing", "file", "eo", "classification",
    }  # fmt: skip


def test_the_schemas_do_refuse_what_is_wrong(made, validator):
    made.assets["b04"].extra_fields["bands"][0]["eo:common_name"] = "rouge"
    with pytest.raises(pystac.STACValidationError, match="rouge"):
        made.validate(validator=validator)


def test_sizes_and_checksums_are_those_of_the_files(made, tmp_path):
    assert multihash(tmp_path / "cog/b04.tif") == "1220" + hashlib.sha256(b"cog/b04.tif").hexdigest()
    fields = made.assets["b04"].extra_fields
    assert fields["file:size"] == len("cog/b04.tif")
    assert fields["file:checksum"] == multihash(tmp_path / "cog/b04.tif")
    assert "file:size" not in made.assets["product"].extra_fields


def test_links_are_relative_and_survive_a_round_trip(made, tmp_path):
    made.save_object(include_self_link=False, dest_href=str(tmp_path / "item.json"))
    read = json.loads((tmp_path / "item.json").read_text())
    hrefs = [asset["href"] for asset in read["assets"].values()]
    assert hrefs == ["./product.zarr", "./cog/b04.tif", "./cog/mask.tif", "./quicklook.png"]
    assert pystac.Item.from_file(tmp_path / "item.json").to_dict()["assets"] == read["assets"]
    assert str(tmp_path) not in (tmp_path / "item.json").read_text()


def test_says_what_it_was_made_from_when_and_how(made):
    properties = made.to_dict()["properties"]
    assert properties["derived_from"].startswith("S2A_MSIL1C_20171207T002051")
    assert properties["datetime"] is None
    assert properties["start_datetime"] == "2017-12-07T00:20:51.026000Z"
    assert properties["platform"] == "sentinel-2a"
    assert properties["instruments"] == ["msi"]
    assert properties["proj:code"] == "EPSG:32755"
    assert properties["proj:shape"] == [86, 86]
    assert "eopf:baseline" not in properties


def test_flags_become_bit_fields(made):
    fields = made.assets["mask"].extra_fields["classification:bitfields"]
    assert [(entry["name"], entry["offset"]) for entry in fields] == [("no_data", 0), ("cloud", 3)]


def test_values_become_classes(tmp_path):
    attrs = {"flag_values": [1, 2], "flag_meanings": ["land", "water"]}
    made = item(
        "x", grid=GRID, folder=tmp_path, discovery={"properties": {"datetime": "2020-01-01T00:00:00Z"}},
        lineage="", software={}, files=[ItemFile("c.tif", "Classes", ("data",), {"c": attrs}, raster=True)],
        now=datetime(2020, 1, 2, tzinfo=UTC),
    )  # fmt: skip
    classes = made.assets["c"].extra_fields["classification:classes"]
    assert classes == [{"value": 1, "name": "land"}, {"value": 2, "name": "water"}]
    assert made.properties["created"] == "2020-01-02T00:00:00Z"


def test_a_product_that_tells_no_time_is_refused(tmp_path):
    with pytest.raises(MetadataError, match="tells no time"):
        item("x", grid=GRID, folder=tmp_path, files=[], discovery={}, lineage="", software={})


def test_real_discovery_attributes_give_a_valid_item(samples, tmp_path, validator, no_network):
    name = "S2B_MSIL1C_20250113T103309_N0511_R108_T32TLQ_20250113T122458.json"
    discovery = json.loads((samples / "eopf/real_zmetadata" / name).read_text())["attributes"][
        "stac_discovery"
    ]
    made = item(
        "x",
        grid=GRID,
        folder=tmp_path,
        files=[],
        discovery=discovery,
        lineage="nothing",
        software={"swath": "0"},
    )
    made.validate(validator=validator)
    assert made.properties["platform"] == "sentinel-2b"


def test_the_sample_schemas_are_those_of_the_versions_used(validator):
    for uri in ("projection/v2.0.0", "processing/v1.2.0", "eo/v2.0.0", "classification/v2.0.0"):
        assert f"https://stac-extensions.github.io/{uri}/schema.json" in validator.schema_cache
