"""Results do not depend on chunks, windows or threads, and halos are right everywhere."""

import dask
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.errors import RunError
from swath.processing import Chain, Input, Output, Processor, Source, apply, step
from swath.product import Grid, Window
from swath_practice import PRACTICE


def blurring(radius, edge):
    @step(inputs=[Input("a")], outputs=[Output("b")], halo=radius, edge=edge)
    def blur(a):
        shifts = [(i, j) for i in range(-radius, radius + 1) for j in range(-radius, radius + 1)]
        return (sum(np.roll(a, shift, (0, 1)) for shift in shifts) / len(shifts)).astype("float32")

    return blur


def processor(radius=2, edge="nearest", chunk=None):
    first = blurring(radius, edge)
    second = first.rename(a="b", b="c")
    chain = Chain(
        grid="/r10m", sources={"a": Source("/r10m/a")}, steps=[first, second], outputs={"b": "/b", "c": "/c"},
        chunk_shape=chunk,
    )  # fmt: skip
    return Processor("blur", "1", "Blur twice", lambda _: chain)


def reference(a, radius, mode):
    """Blur a whole array at once; each blur meets the product's edge anew."""
    padding = {"mode": "edge"} if mode == "nearest" else {"constant_values": np.float32(np.nan)}
    padded = np.pad(a, radius, **padding)
    result = blurring(radius, mode)(a=padded)
    return result[radius:-radius, radius:-radius] if radius else result


@pytest.mark.parametrize("edge", ["nearest", "fill"])
@pytest.mark.parametrize("radius", [0, 1, 5])
def test_halos_are_right_at_chunk_borders_and_product_edges(product_of, random, edge, radius):
    a = random.random((41, 53), dtype=np.float32)
    a[12:14, 30] = np.nan
    made = apply(processor(radius, edge), product_of({"/r10m": (10.0, 17, {"a": a})}))
    once = reference(a, radius, edge)
    np.testing.assert_array_equal(made["/b"].values, once)
    np.testing.assert_array_equal(made["/c"].values, reference(once, radius, edge))


@given(
    chunk=st.integers(4, 60),
    out=st.tuples(st.integers(3, 60), st.integers(3, 60)),
    radius=st.integers(0, 6),
    top=st.integers(0, 30),
    left=st.integers(0, 30),
)
@settings(max_examples=25, deadline=None)
def test_any_window_with_any_chunks_is_that_part_of_the_whole(
    tmp_path_factory, chunk, out, radius, top, left
):
    import swath_practice

    a = np.random.default_rng(chunk).random((41, 47), dtype=np.float32)
    folder = swath_practice.write(tmp_path_factory.mktemp("p") / "p", {"/r10m": (10.0, chunk, {"a": a})})
    window = Window((top, min(top + 20, 41)), (left, min(left + 15, 47)))
    made = apply(processor(radius, chunk=out), swath_practice.read(folder), window=window)["/c"].values
    expected = reference(reference(a, radius, "nearest"), radius, "nearest")
    np.testing.assert_array_equal(made, expected[window.slices])


@given(top=st.integers(0, 150), left=st.integers(0, 150), resolution=st.sampled_from([10, 20]))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_window_over_three_grids_is_that_part_of_the_whole(product, top, left, resolution):
    size = 1720 // resolution
    window = Window((top * 10 // resolution, size), (left * 10 // resolution, size))
    parameters = {"resolution": resolution}
    whole = apply(PRACTICE, product, parameters).compute()
    part = apply(PRACTICE, product, parameters, window).compute()
    for path in ("/measurements/index", "/measurements/smooth", "/quality/steep"):
        np.testing.assert_array_equal(part[path].values, whole[path].values[window.slices])


def test_results_are_the_same_however_many_threads(product):
    results = []
    for scheduler, workers in (("synchronous", 1), ("threads", 1), ("threads", 4)):
        with dask.config.set(scheduler=scheduler, num_workers=workers):
            results.append(apply(PRACTICE, product)["/measurements/smooth"].values)
    np.testing.assert_array_equal(results[0], results[1])
    np.testing.assert_array_equal(results[0], results[2])


def test_outputs_are_lazy_and_tell_what_and_where_they_are(product):
    made = apply(PRACTICE, product, window="rows 10:60, columns 100:160")
    smooth = made["/measurements/smooth"]
    assert smooth.chunks == ((48, 2), (48, 12))
    assert smooth.attrs["long_name"] == "Smoothed index"
    assert Grid.of(smooth) == Grid.of(product["/measurements/r10m"]).crop(Window((10, 60), (100, 160)))
    np.testing.assert_array_equal(smooth.x, product["/measurements/r10m"].x[100:160])
    assert made["/quality/steep"].dtype == np.uint8
    assert made.attrs["other_metadata"]["processing"]["parameters"]["radius"] == 2
    assert made.attrs["stac_discovery"]["id"] == "PRACTICE_1"


def failing(function, **declaration):
    declared = step(**{"inputs": [Input("a")], "outputs": [Output("x")], **declaration}, name="sick")(
        function
    )
    chain = Chain(grid="/r10m", sources={"a": Source("/r10m/a")}, steps=[declared], outputs={"x": "/made"})
    return Processor("ward", "1", "Ward", lambda _: chain)


def divided_by_zero(a):
    return 1 / (a.size - a.size)


def a_number(a):
    return a.size


def in_place(a):
    a[0, 0] = 1
    return a


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (divided_by_zero, "ZeroDivisionError"),
        (in_place, "read-only"),
        (lambda a: a[1:], "as float32 .9, 10."),
        (lambda a: a.astype("float64"), "as float64"),
        (a_number, "as int"),
        (lambda a: {"y": a}, r"returned \['y'\]"),
    ],
)
def test_a_step_that_fails_or_breaks_its_word_is_named_with_the_chunk(product_of, random, function, told):
    data = random.random((20, 10), dtype=np.float32)
    product = product_of({"/r10m": (10.0, 10, {"a": data})})
    lazy = apply(failing(function), product, window="rows 5:20, columns 0:10")
    with pytest.raises(
        RunError, match=rf"Step 'sick' of 'ward', in the output chunk \(row \d, column 0; pixels.*{told}"
    ):
        lazy.compute(scheduler="synchronous")


def test_two_results_must_come_by_name(product_of, random):
    product = product_of({"/r10m": (10.0, 10, {"a": random.random((9, 9), dtype=np.float32)})})
    processor = failing(lambda a: a, outputs=[Output("x"), Output("y")])
    with pytest.raises(RunError, match=r"returned no mapping; it declares \['x', 'y'\]"):
        apply(processor, product).compute()
