"""Fields of a payload from the environment: parsed, checked, and never silently without effect."""

import json

import pytest
from swath.errors import PayloadError
from swath.run import environment_fields, payload_schema
from swath_cli import main


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off"])
def test_false_is_false(text):
    assert environment_fields({"SWATH_PAYLOAD_COGS": text}) == {"cogs": False}


def test_numbers_and_amounts_are_read():
    told = environment_fields(
        {
            "SWATH_PAYLOAD_WORKERS": " 3 ",
            "SWATH_PAYLOAD_MEMORY": "2GiB",
            "SWATH_PAYLOAD_CHUNK_SHAPE": "512x256",
            "SWATH_PAYLOAD_RETRIES": "0",
            "SWATH_PAYLOAD_ENGINE": "",
            "OTHER": "1",
        }
    )
    assert told == {"workers": 3, "memory": 2**31, "chunk_shape": (512, 256), "retries": 0}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "SWATH_PAYLOAD_WORKRES",
            "2",
            "SWATH_PAYLOAD_WORKRES sets nothing. Did you mean SWATH_PAYLOAD_WORKERS",
        ),
        ("SWATH_PAYLOAD_ZZZ", "2", "sets nothing. There are: SWATH_PAYLOAD_CHUNK_SHAPE, SWATH_PAYLOAD_COGS"),
        ("SWATH_PAYLOAD_COGS", "perhaps", "SWATH_PAYLOAD_COGS is 'perhaps': Input should be a valid boolean"),
        ("SWATH_PAYLOAD_WORKERS", "two", "SWATH_PAYLOAD_WORKERS is 'two': Input should be a valid integer"),
        ("SWATH_PAYLOAD_MEMORY", "much", "SWATH_PAYLOAD_MEMORY is 'much': .*expected bytes, or an amount"),
        ("SWATH_PAYLOAD_OVERWRITE", "true", "SWATH_PAYLOAD_OVERWRITE sets nothing"),
    ],
)
def test_mistakes_are_told_with_the_variables_name(name, text, told):
    with pytest.raises(PayloadError, match=told):
        environment_fields({name: text})


def plan(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(["run", *map(str, arguments), "--plan", "--json"])
    out, told = capsys.readouterr()
    assert left.value.code == 0, told
    return json.loads(out)


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(
    capsys, monkeypatch, practice_product, tmp_path
):
    file = tmp_path / "job.json"
    job = {
        "processor": "practice",
        "inputs": {"product": str(practice_product)},
        "window": {"rows": [10, 70], "columns": [20, 90]},
        "chunk_shape": "16x16",
    }
    file.write_text(json.dumps(job))
    told = plan(capsys, file)
    assert told["chunk_shape"] == [16, 16]
    assert told["window"] == {"rows": [10, 70], "columns": [20, 90]}
    monkeypatch.setenv("SWATH_PAYLOAD_CHUNK_SHAPE", "32x32")
    assert plan(capsys, file)["chunk_shape"] == [32, 32]
    assert plan(capsys, file, "--chunk-shape", "8x64")["chunk_shape"] == [8, 64]


def test_the_schema_of_all_payloads_is_published(capsys):
    with pytest.raises(SystemExit) as left:
        main(["run", "--schema"])
    assert left.value.code == 0
    told = json.loads(capsys.readouterr().out)
    assert told == json.loads(json.dumps(payload_schema()))
    assert {"memory", "retries", "resume", "keep", "chunk_shape", "profile"} <= set(told["properties"])
