"""A payload says everything; what it says wrong is told with what was meant."""

import json

import jsonschema
import pytest
from swath.errors import PayloadError
from swath.run import load_payload, make_payload, parse_parameters, payload_schema
from swath_practice import PRACTICE

MINIMAL = {"processor": "practice", "inputs": {"product": "p.zip"}}


def test_a_file_of_yaml_or_json_is_a_payload(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "processor: practice\ninputs: {product: p.zip}\nwindow: {rows: [0, 5], columns: [1, 9]}"
    )
    (tmp_path / "a.json").write_text(json.dumps({**MINIMAL, "window": {"rows": [0, 5], "columns": [1, 9]}}))
    one, other = (make_payload(load_payload(tmp_path / name)) for name in ("a.yaml", "a.json"))
    assert one == other
    assert one.window == {"rows": (0, 5), "columns": (1, 9)}


def test_relative_paths_count_from_the_file(tmp_path):
    (tmp_path / "jobs").mkdir()
    file = tmp_path / "jobs" / "a.yaml"
    file.write_text("processor: practice\ninputs: {product: ../in/p.zip}\ndestination: out")
    payload = make_payload(load_payload(file))
    assert payload.inputs.product == str(tmp_path / "jobs" / "../in/p.zip")
    assert payload.destination == str(tmp_path / "jobs" / "out")
    file.write_text("processor: practice\ninputs: {product: 's3://bucket/p.zarr'}\ndestination: /abs/out")
    payload = make_payload(load_payload(file))
    assert (payload.inputs.product, payload.destination) == ("s3://bucket/p.zarr", "/abs/out")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"processer": "x"}, "unknown key 'processer'; did you mean 'processor'"),
        ({"inputs": {"product": "p", "prodct": "q"}}, "unknown key 'inputs.prodct'; did you mean 'product'"),
        ({"zzz": 1}, "unknown key 'zzz'; there are: processor, inputs"),
        ({"inputs": {}}, "the key 'inputs.product' is missing"),
        ({"engine": "gpu"}, "engine: .*got 'gpu'"),
        ({"workers": 0}, "workers: .*greater than 0"),
        ({"overwrite": "perhaps"}, "overwrite: .*boolean"),
    ],
)
def test_mistakes_are_told(content, told):
    with pytest.raises(PayloadError, match=told):
        make_payload({**MINIMAL, **content})


def test_numbers_and_booleans_may_be_text():
    payload = make_payload({**MINIMAL, "workers": "3", "overwrite": "true"})
    assert (payload.workers, payload.overwrite) == (3, True)


@pytest.mark.parametrize(
    ("text", "told"),
    [("- a\n- b", "holds no mapping"), ("a: [", "neither YAML nor JSON"), ("x" * 1_000_001, "1000001 bytes")],
)
def test_a_file_that_is_no_payload_is_told(tmp_path, text, told):
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(PayloadError, match=told):
        load_payload(tmp_path / "a.yaml")


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(PayloadError, match=r"a\.yaml cannot be read: No such file"):
        load_payload(tmp_path / "a.yaml")


def test_overrides_win_and_parameters_are_merged():
    content = {
        **MINIMAL,
        "parameters": {"radius": 1, "label": "a"},
        "window": {"rows": [0, 1], "columns": [0, 1]},
    }
    payload = make_payload(content, parameters={"radius": 2}, window="rows 0:9, columns 0:9", workers=None)
    assert payload.parameters == {"radius": 2, "label": "a"}
    assert payload.window == "rows 0:9, columns 0:9"


def test_parameters_on_the_command_line_take_the_type_of_the_model():
    texts = ["resolution=20", "radius=3", "weighted=true", "label=2017", "seconds=1e-3"]
    values = PRACTICE.validate(parse_parameters(PRACTICE, texts))
    assert values.model_dump(exclude={"fail_above"}) == {
        "resolution": 20, "radius": 3, "weighted": True, "label": "2017", "seconds": 1e-3,
    }  # fmt: skip
    with pytest.raises(PayloadError, match="NAME=VALUE"):
        parse_parameters(PRACTICE, ["radius"])


def test_the_schema_judges_as_the_model_does():
    schema = payload_schema(PRACTICE)
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert validator.is_valid(
        {**MINIMAL, "parameters": {"resolution": 20}, "window": "rows 0:1, columns 0:1"}
    )
    assert not validator.is_valid({**MINIMAL, "parameters": {"resolution": 30}})
    assert not validator.is_valid({**MINIMAL, "parameters": {"resolutoin": 20}})
    assert not validator.is_valid({**MINIMAL, "processor": "other"})
    assert not validator.is_valid({**MINIMAL, "extra": 1})


def test_a_key_that_stands_twice_is_told(tmp_path):
    (tmp_path / "a.yaml").write_text("processor: practice\nwindow: a\ninputs: {product: p}\nwindow: b\n")
    with pytest.raises(PayloadError, match=r"the key 'window' stands twice.*line 4"):
        load_payload(tmp_path / "a.yaml")


@pytest.mark.parametrize("key", ["parameters", "inputs"])
def test_what_should_be_a_mapping_is_refused_and_not_replaced(key):
    overrides = {"parameters": {"fail_above": 1.0}, "inputs": {"product": "q.zip"}}
    with pytest.raises(PayloadError, match=f"{key}: expected a mapping of keys to values"):
        make_payload({**MINIMAL, key: "a=10"}, **overrides)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("engine", "treads", "engine: expected threads, distributed, the address tcp://"),
        ("chunk_shape", "512", "chunk_shape: expected rows and columns, as in 512x512"),
        ("memory", "2GB2", "memory: expected bytes, or an amount such as"),
        ("inputs", ["p.zip"], "inputs: expected a mapping of keys to values"),
    ],
)
def test_a_refused_value_is_told_in_the_users_words(field, value, told):
    with pytest.raises(PayloadError) as caught:
        make_payload({**MINIMAL, field: value})
    assert told in str(caught.value)
    for of_pydantic in ("Value error", "Input should be", "pattern"):
        assert of_pydantic not in str(caught.value)


def test_aliases_that_make_much_out_of_little_are_told(tmp_path):
    lines = ["processor: practice", "x0: &x0 [l, l, l, l, l, l, l, l, l]"]
    lines += [f"x{k}: &x{k} [{', '.join([f'*x{k - 1}'] * 9)}]" for k in range(1, 10)]
    for text in ("\n".join([*lines, "inputs: *x9"]), "inputs: &a [*a]", "inputs: " + "[" * 20_000):
        (tmp_path / "payload.yaml").write_text(text)
        with pytest.raises(PayloadError, match=r"neither YAML nor JSON: .*(aliases|recursion|in itself)"):
            load_payload(tmp_path / "payload.yaml")
    (tmp_path / "payload.yaml").write_text("inputs: &a {product: x}\nmore: *a\n")
    assert load_payload(tmp_path / "payload.yaml")["more"] == {"product": "x"}
