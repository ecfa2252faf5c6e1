"""A chain that does not fit is refused when it is written down, with the name of what does not fit."""

import numpy as np
import pytest
from pydantic import Field
from swath.errors import InputError, PayloadError
from swath.processing import (
    Chain,
    ChainError,
    Input,
    Output,
    Parameters,
    Processor,
    Quicklook,
    Source,
    get_processor,
    list_processors,
    step,
)


@step(inputs=[Input("red", units="1"), Input("nir", units="1")], outputs=[Output("ndvi", units="1")])
def ndvi(red, nir):
    """Normalised difference vegetation index."""
    return (nir - red) / (nir + red)


@step(inputs=[Input("ndvi", units="1")], outputs=[Output("smooth")], halo=3)
def smooth(ndvi):
    return ndvi.copy()


SOURCES = {"red": Source("/r10m/b04"), "nir": Source("/r10m/b08")}


def chain(**fields):
    return Chain(
        **{"grid": "/r10m", "sources": SOURCES, "steps": [ndvi], "outputs": {"ndvi": "/ndvi"}, **fields}
    )


def test_a_step_is_still_its_function():
    assert ndvi(red=np.float32(0.25), nir=np.float32(0.75)) == np.float32(0.5)
    assert ndvi.title == "Normalised difference vegetation index."


def test_margins_add_up_from_the_outputs_to_the_sources():
    twice = smooth.rename(ndvi="smooth", smooth="smoother")
    made = chain(steps=[ndvi, smooth, twice], outputs={"smoother": "/smoother", "ndvi": "/ndvi"})
    assert made.margins == {"smoother": 0, "smooth": 3, "ndvi": 6, "red": 6, "nir": 6}


def test_an_input_that_nobody_makes_is_named_with_what_is_near():
    with pytest.raises(ChainError, match=r"reads 'nir', which is no source.*Did you mean 'nire'"):
        chain(sources={"red": SOURCES["red"], "nire": SOURCES["nir"]})


def test_steps_in_the_wrong_order_are_refused():
    with pytest.raises(ChainError, match="'smooth' reads 'ndvi'"):
        chain(steps=[smooth, ndvi], outputs={"smooth": "/smooth"})


@pytest.mark.parametrize(
    ("other", "told"),
    [({"dtype": "float64"}, "wants 'ndvi' as float64.*float32"), ({"units": "percent"}, "in 'percent'.*'1'")],
)
def test_both_ends_of_a_connection_must_agree(other, told):
    reader = step(inputs=[Input("ndvi", **other)], outputs=[Output("x")])(lambda ndvi: ndvi)
    with pytest.raises(ChainError, match=told):
        chain(steps=[ndvi, reader], outputs={"x": "/made"})


def test_an_output_is_made_once():
    with pytest.raises(ChainError, match="makes 'ndvi', which there is already"):
        chain(steps=[ndvi, ndvi])


def test_what_nobody_reads_is_refused():
    with pytest.raises(ChainError, match="Nothing that step 'smooth' makes is read"):
        chain(steps=[ndvi, smooth])
    with pytest.raises(ChainError, match="No step reads the source 'b01'"):
        chain(sources={**SOURCES, "b01": Source("/r60m/b01")})


@pytest.mark.parametrize(
    ("outputs", "told"),
    [
        ({}, "no outputs"),
        ({"ndwi": "/ndwi"}, "No step makes the output 'ndwi'. Did you mean 'ndvi'"),
        ({"ndvi": "ndvi"}, "has the path 'ndvi'"),
        ({"ndvi": "/a/../../b"}, "has the path"),
        ({"ndvi": "/measurements/x"}, "names of coordinates"),
    ],
)
def test_outputs_must_be_made_and_have_a_place(outputs, told):
    with pytest.raises(ChainError, match=told):
        chain(outputs=outputs)


def test_two_outputs_need_two_places():
    with pytest.raises(ChainError, match="same path"):
        chain(steps=[ndvi, smooth], outputs={"ndvi": "/same", "smooth": "/same"})


@pytest.mark.parametrize(
    "shown", [Quicklook(["ndvi", "ndvi"]), Quicklook(["red"]), Quicklook(["ndvi"], flags="red")]
)
def test_a_quick_look_shows_outputs(shown):
    with pytest.raises(ChainError, match="quick look"):
        chain(quicklook=shown)


def test_classes_cannot_be_averaged():
    flags = step(inputs=[Input("flags", "uint8")], outputs=[Output("x", "uint8")])(lambda flags: flags)
    with pytest.raises(ChainError, match="read as uint8 and cannot be resampled with 'mean'"):
        chain(sources={"flags": Source("/flags", "mean")}, steps=[flags], outputs={"x": "/made"})


@pytest.mark.parametrize(
    ("declaration", "told"),
    [
        ({"inputs": [Input("a"), Input("b")]}, "declares 'b', which its function does not take; it takes: a"),
        ({"inputs": []}, "at least one input"),
        ({"halo": -1}, "halo of -1"),
        ({"outputs": [Output("x", "float99")]}, "'float99', which is no NumPy dtype"),
        ({"parameters": ["c"]}, "declares 'c'"),
    ],
)
def test_a_declaration_must_fit_its_function(declaration, told):
    with pytest.raises(ChainError, match=told):
        step(**{"inputs": [Input("a")], "outputs": [Output("x")], **declaration})(lambda a: a)


def test_an_argument_that_nobody_declares_is_named():
    with pytest.raises(ChainError, match="takes 'b', which is neither"):
        step(inputs=[Input("a")], outputs=[Output("x")])(lambda a, b: a + b)


def test_renaming_what_is_not_there_is_refused():
    with pytest.raises(ChainError, match="no 'rad' to rename; it has: red, nir, ndvi"):
        ndvi.rename(rad="b04")
    with pytest.raises(ChainError, match="no output 'ndwi'"):
        ndvi.describe(ndwi={"units": "1"})


def test_a_renamed_step_calls_its_function_with_its_own_names():
    ndwi = (
        ndvi.rename(red="b11", nir="b03", ndvi="ndwi")
        .rename(b11="swir")
        .describe(ndwi={"description": "Water"})
    )
    assert [item.name for item in ndwi.inputs] == ["swir", "b03"]
    assert ndwi.arguments["swir"] == "red"
    assert ndwi.outputs[0].description == "Water"


class Settings(Parameters):
    size: int = Field(default=1, ge=1)
    on: bool = False


def test_a_processor_is_checked_when_it_is_defined():
    with pytest.raises(ChainError, match="reads 'nir'"):
        Processor("x", "1", "X", lambda _: chain(sources={"red": SOURCES["red"]}))


def test_a_parameter_that_the_model_lacks_is_named():
    wants = step(inputs=[Input("ndvi")], outputs=[Output("x")], parameters=["sice"])(
        lambda ndvi, sice: ndvi * sice
    )
    with pytest.raises(ChainError, match="'sice', which the model of processor 'p', Settings, does not have"):
        Processor("p", "1", "P", lambda _: chain(steps=[ndvi, wants], outputs={"x": "/made"}), Settings)


def test_parameters_are_parsed_and_all_mistakes_told():
    processor = Processor("p", "1", "P", lambda _: chain(), Settings)
    assert processor.validate({"size": "3", "on": "true"}) == Settings(size=3, on=True)
    with pytest.raises(
        PayloadError, match=r"on: .*boolean.*'maybe'.*unknown key 'sise'; did you mean 'size'\?"
    ):
        processor.validate({"sise": 1, "on": "maybe"})
    with pytest.raises(PayloadError, match="there are: size, on"):
        processor.validate({"zzz": 1})


def test_installed_processors_are_found_by_name():
    assert "practice" in list_processors()
    assert get_processor("practice").title == "Index, smoothed"
    with pytest.raises(InputError, match=r"No processor 'practise' is installed. Did you mean 'practice'"):
        get_processor("practise")
