"""Quick-look pictures: what is where, what is black and white, and how much memory they take."""

import tracemalloc

import imagecodecs
import numpy as np
import pytest
import zarr
from swath.errors import WriteError
from swath.product.quicklook import write_quicklook


def picture(path) -> np.ndarray:
    return imagecodecs.png_decode(path.read_bytes())


def test_small_images_keep_their_pixels_and_stretch_between_percentiles(tmp_path):
    ramp = np.linspace(0.1, 0.3, 101 * 101).reshape(101, 101).astype(np.float32)
    pixels = picture(write_quicklook([ramp], tmp_path / "q.png"))
    assert pixels.shape == (101, 101, 4)
    grey = pixels[..., 0].ravel()
    assert (np.diff(grey.astype(int)) >= 0).all()
    low, high = np.percentile(ramp, (2, 98))
    expected = np.rint(np.clip((ramp.astype(float) - low) / (high - low) * 255, 0, 255))
    np.testing.assert_array_equal(pixels[..., 0], expected)
    np.testing.assert_array_equal(pixels[..., 1], pixels[..., 2])


@pytest.mark.parametrize("shape", [(1025, 700), (3001, 5003), (2048, 1)])
def test_is_at_most_as_large_as_told_and_the_mean_of_squares(tmp_path, shape):
    values = np.random.default_rng(3).random(shape, dtype=np.float32)
    values[: shape[0] // 2] += 5
    pixels = picture(write_quicklook([values], tmp_path / "q.png"))
    step = -(-max(shape) // 1024)
    assert pixels.shape[:2] == (-(-shape[0] // step), -(-shape[1] // step))
    assert max(pixels.shape) <= 1024
    padding = [(0, -side % step) for side in shape]
    padded = np.pad(values.astype(np.float64), padding, constant_values=np.nan)
    rows, columns = (side // step for side in padded.shape)
    means = np.nanmean(padded.reshape(rows, step, columns, step), axis=(1, 3))
    low, high = np.percentile(means, (2, 98))
    expected = np.clip((means - low) / (high - low) * 255, 0, 255)
    np.testing.assert_allclose(pixels[..., 0], expected, atol=0.51)


def test_chunks_do_not_change_the_picture(tmp_path):
    values = np.random.default_rng(3).random((2500, 1500), dtype=np.float32)
    values[700:1300, 100:900] = np.nan
    stored = zarr.create_array({}, shape=values.shape, chunks=(701, 333), dtype="f4")
    stored[:] = values
    whole = write_quicklook([values], tmp_path / "whole.png").read_bytes()
    assert write_quicklook([stored], tmp_path / "chunks.png").read_bytes() == whole


def test_pixels_without_data_are_transparent(tmp_path):
    values = np.ones((10, 10), np.float32)
    values[2:4] = np.nan
    pixels = picture(write_quicklook([values] * 3, tmp_path / "q.png"))
    assert (pixels[2:4] == 0).all()
    assert (pixels[4:, :, 3] == 255).all()


def test_nothing_but_no_data_is_a_picture_too(tmp_path):
    values = np.full((10, 10), np.nan, np.float32)
    assert (picture(write_quicklook([values], tmp_path / "q.png")) == 0).all()


def test_flags_tint_and_do_not_take_part_in_the_stretch(tmp_path):
    values = np.tile(np.linspace(0, 1, 100, dtype=np.float32), (100, 1))
    flags = np.zeros((100, 100), np.uint8)
    flags[:, 90:] = 8
    values[:, 90:] = 50
    pixels = picture(write_quicklook([values] * 3, tmp_path / "q.png", flags=flags, tints={8: (255, 0, 255)}))
    assert (pixels[:, 90:, :3] == (255, 102, 255)).all()  # white under 60 % of the tint
    assert pixels[0, 89, 0] == 255
    assert pixels[0, 45, 0] in range(120, 136)


def test_memory_is_that_of_a_chunk_and_the_picture(tmp_path):
    stored = zarr.create_array(tmp_path / "a.zarr", shape=(16000, 4000), chunks=(1000, 1000), dtype="f4")
    stored[::1000] = 1
    tracemalloc.start()
    write_quicklook([stored], tmp_path / "q.png")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16000 * 4000 * 4 / 4


@pytest.mark.parametrize("count", [0, 2, 4])
def test_refuses_other_than_one_or_three_bands(tmp_path, count):
    with pytest.raises(WriteError, match="one or three bands"):
        write_quicklook([np.ones((4, 4))] * count, tmp_path / "q.png")


def test_a_picture_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(WriteError, match="could not be written"):
        write_quicklook([np.ones((4, 4))], tmp_path / "no" / "q.png")
