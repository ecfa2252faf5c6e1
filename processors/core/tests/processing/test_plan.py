"""A plan says what a run reads before it reads anything, and the run reads just that."""

import json

import dask
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.errors import InputError, PayloadError, WindowError
from swath.io.metering import Counts, reading
from swath.processing import Chain, Input, Output, Processor, Source, apply, plan, step
from swath.product import Window
from swath_practice import PRACTICE


def processor_of(**fields):
    copy = step(inputs=[Input("a")], outputs=[Output("x")])(lambda a: a.copy())
    told = {
        "grid": "/measurements/r10m",
        "sources": {"a": Source("/measurements/r10m/red")},
        "steps": [copy],
        "outputs": {"x": "/made"},
    }
    made = Chain(**{**told, **fields})
    return Processor("copy", "1", "Copy", lambda _: made)


windows = st.tuples(st.integers(0, 171), st.integers(1, 172), st.integers(0, 171), st.integers(1, 172)).map(
    lambda v: Window((min(v[0], v[1] - 1), max(v[0] + 1, v[1])), (min(v[2], v[3] - 1), max(v[2] + 1, v[3])))
)


@given(window=windows, radius=st.integers(0, 8), scheduler=st.sampled_from(["threads", "synchronous"]))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_planned_is_what_is_read_each_chunk_once(product, window, radius, scheduler):
    planned = plan(PRACTICE, product, {"radius": radius}, window)
    outputs = apply(PRACTICE, product, {"radius": radius}, window)
    with reading() as watch, dask.config.set(scheduler=scheduler):
        outputs.compute()
    assert watch.counts == Counts(planned.bytes, planned.chunks, planned.chunks)


def test_planning_and_applying_read_nothing(product):
    with reading() as watch:
        plan(PRACTICE, product)
        apply(PRACTICE, product)
    assert watch.counts == Counts()


def test_a_window_needs_only_its_chunks_and_those_its_halo_reaches(product):
    # Chunks of r10m are 48 pixels, the halos of the chain 2 + 1.
    def red(window):
        return plan(PRACTICE, product, {"radius": 2}, window).sources[0].chunks

    assert red("rows 51:93, columns 3:45") == ((1, 0),)
    assert red("rows 50:93, columns 3:46") == ((0, 0), (0, 1), (1, 0), (1, 1))
    assert plan(PRACTICE, product).sources[0].chunks == tuple(np.ndindex(4, 4))


def test_bytes_are_those_of_the_files(product, practice_product):
    planned = plan(PRACTICE, product)
    sizes = {
        source.name: sum(
            file.stat().st_size for file in (practice_product / source.path.strip("/")).iterdir()
        )
        for source in planned.sources
    }
    assert {source.name: source.bytes for source in planned.sources} == sizes
    assert planned.bytes == sum(sizes.values())


def test_a_plan_is_json_and_a_table(product):
    planned = plan(PRACTICE, product, {"resolution": 20}, "rows 0:40, columns 0:40")
    told = json.loads(json.dumps(planned.to_dict(), allow_nan=False))
    assert told["window"] == {"rows": [0, 40], "columns": [0, 40]}
    assert told["chunks"] == sum(len(source["chunks"]) for source in told["sources"]) == planned.chunks
    assert told["output_chunks"] == [2, 2]
    text = str(planned)
    assert "practice 1.0.0" in text
    assert "/measurements/r10m/red   mean" in text
    assert "/measurements/r20m/nir   none" in text
    assert text.splitlines()[8].split()[:2] == ["total", str(planned.chunks)]


def test_a_missing_variable_is_named_with_what_is_near(product):
    processor = processor_of(sources={"a": Source("/measurements/r20m/red")})
    with pytest.raises(
        InputError, match=r"no variable /measurements/r20m/red, which.*Near to it are: /measurements/r10m/red"
    ):
        plan(processor, product)


def test_a_missing_grid_is_named(product):
    with pytest.raises(InputError, match="no group /measurements/r30m, on whose grid processor 'copy'"):
        plan(processor_of(grid="/measurements/r30m"), product)


def test_a_group_is_no_variable(product):
    with pytest.raises(InputError, match="is a group"):
        plan(processor_of(sources={"a": Source("/measurements/r10m")}), product)


def test_an_optional_variable_may_be_missing_and_is_then_filled(product):
    processor = processor_of(sources={"a": Source("/measurements/r10m/blue", optional=True)})
    assert plan(processor, product).notes == (
        "The product has no /measurements/r10m/blue; its fill value stands in.",
    )
    assert np.isnan(apply(processor, product)["/made"].values).all()


def test_floating_point_is_not_made_integer(product):
    copy = step(inputs=[Input("a", "uint8")], outputs=[Output("x", "uint8")])(lambda a: a)
    with pytest.raises(InputError, match="is float32 in this product; uint8 is expected"):
        plan(processor_of(steps=[copy]), product)


def test_another_reference_system_is_refused(product):
    product["/measurements/r10m/red"].attrs["proj:epsg"] = 32756
    with pytest.raises(InputError, match=r"is in EPSG:32756, the output grid in EPSG:32755"):
        plan(processor_of(grid="/measurements/r20m"), product)


def test_a_rotated_grid_is_refused(product):
    product["/measurements/r10m/red"].attrs["proj:transform"] = [640.0, 1.0, 499980.0, 1.0, -640.0, 6900040.0]
    with pytest.raises(InputError, match="rotated"):
        plan(processor_of(grid="/measurements/r20m"), product)


def test_more_than_two_dimensions_are_refused(product):
    product["/measurements/r10m"] = product["/measurements/r10m"].to_dataset().expand_dims(band=2)
    with pytest.raises(InputError, match=r"has the dimensions.*expects two"):
        plan(processor_of(), product)


def test_windows_and_parameters_are_checked_before_anything_is_read(product):
    with pytest.raises(WindowError, match="0:172"):
        plan(PRACTICE, product, window="rows 0:173, columns 0:10")
    with pytest.raises(WindowError, match="0:172"):
        plan(PRACTICE, product, window=Window((0, 173), (0, 10)))
    with pytest.raises(PayloadError, match="radius"):
        plan(PRACTICE, product, {"radius": 9})


def test_a_variable_in_memory_costs_no_bytes_and_is_noted(product):
    product["/measurements/r10m/red"] = product["/measurements/r10m/red"].load()
    planned = plan(processor_of(), product)
    assert (planned.chunks, planned.bytes) == (0, 0)
    assert planned.notes == ("/measurements/r10m/red is in memory, not read.",)
    assert "in memory" in str(planned)


def test_memory_grows_with_workers_not_with_the_product(product_of, random):
    def memory(pixels):
        data = random.random((pixels, pixels), dtype=np.float32)
        planned = plan(processor_of(), product_of({"/measurements/r10m": (10.0, 50, {"red": data})}))
        return planned.chunk_memory, planned.peak_memory(4) - planned.peak_memory(1)

    assert memory(200) == memory(400)


def test_more_workers_than_chunks_in_a_row_have_source_chunks_of_several_rows(product_of, random):
    data = random.random((200, 50), dtype=np.float32)
    planned = plan(processor_of(), product_of({"/measurements/r10m": (10.0, 50, {"red": data})}))
    assert planned.chunk_counts == (4, 1)
    more = planned.peak_memory(4) - planned.peak_memory(1)
    assert more == 3 * (planned.chunk_memory + planned.shared_memory)
    assert planned.peak_memory(6) - planned.peak_memory(4) == 2 * planned.chunk_memory
