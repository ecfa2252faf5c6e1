"""The GeoTIFFs of an output product: a file a variable, several written at once."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np

from swath.io.cog import bounded_cache, write_cog
from swath.processing import Binding
from swath.product.stac import ItemFile
from swath.run._files import Pixels

__all__ = ["COGS", "write_cogs"]

COGS = "cog"
"""Name of the folder in an output product."""


class _GivenUpError(Exception):
    """Ends the files that are being written when another one has failed; nobody is told of it."""


class _Watched:
    """Pixels that can be had until the writing is given up."""

    def __init__(self, pixels: Pixels, given_up: Event) -> None:
        self._pixels, self._given_up = pixels, given_up
        self.shape, self.chunks, self.dtype = pixels.shape, pixels.chunks, pixels.dtype

    def __getitem__(self, key: Any) -> Any:
        if self._given_up.is_set():
            raise _GivenUpError
        return self._pixels[key]


def write_cogs(
    binding: Binding,
    pixels: Mapping[str, Pixels],
    folder: Path,
    *,
    workers: int,
    done: Callable[[int, int], None],
) -> list[ItemFile]:
    """Write each output as a cloud-optimised GeoTIFF.

    Parameters
    ----------
    binding
        What has been run.
    pixels
        The outputs, by their names in the chain.
    folder
        The output product; the files go to a new folder in it.
    workers
        Files in work at a time. Where there are fewer files, threads that are left over compress tiles.
    done
        Told after each file: how many are done, of how many.

    Raises
    ------
    WriteError
        If a file could not be written. The others are given up, and none is in work any more.
    """
    (folder / COGS).mkdir()
    grid = binding.grid.crop(binding.window)
    given_up = Event()

    def write(name: str) -> None:
        source = pixels[name]
        continuous = source.dtype.kind == "f"
        try:
            write_cog(
                _Watched(source, given_up),
                folder / _path(name),
                transform=grid.transform,
                crs=grid.crs,
                nodata=np.nan if continuous else None,
                overviews="average" if continuous else "nearest",
                description=_title(name, source),
                units=str(source.attributes.get("units", "")),
                threads=max(1, workers // len(pixels)),
            )
        except BaseException:
            given_up.set()  # before this thread takes the next file
            raise

    with bounded_cache():
        pool = ThreadPoolExecutor(min(workers, len(pixels)), thread_name_prefix="swath-geotiff")
        try:
            done(0, len(pixels))
            futures = [pool.submit(write, name) for name in pixels]
            for number, future in enumerate(as_completed(futures), start=1):
                if not isinstance(future.exception(), _GivenUpError):  # the one to blame comes, too
                    future.result()
                done(number, len(pixels))
        except BaseException:
            given_up.set()
            raise
        finally:
            # What has begun ends here: nobody may write any more when the caller cleans up.
            pool.shutdown(wait=True, cancel_futures=True)
    return [
        ItemFile(_path(name), _title(name, source), ("data",), {name: source.attributes}, raster=True)
        for name, source in pixels.items()
    ]


def _path(name: str) -> str:
    return f"{COGS}/{name}.tif"


def _title(name: str, source: Pixels) -> str:
    return str(source.attributes.get("long_name", name))
