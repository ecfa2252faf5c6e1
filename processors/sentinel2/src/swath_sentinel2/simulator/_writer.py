"""Write a simulated scene as a product folder."""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from swath.errors import DestinationError, WriteError
from swath.io.commit import check_destination, new_product
from swath_sentinel2.simulator import _names as names
from swath_sentinel2.simulator._bands import BANDS, BY_NAME, Band
from swath_sentinel2.simulator._detectors import detectors
from swath_sentinel2.simulator._georeference import Georeference
from swath_sentinel2.simulator._granule_metadata import granule_metadata
from swath_sentinel2.simulator._mask_image import write_mask
from swath_sentinel2.simulator._noise import Window
from swath_sentinel2.simulator._package import datastrip_metadata, manifest, notes
from swath_sentinel2.simulator._picture import write_picture
from swath_sentinel2.simulator._product_metadata import product_metadata
from swath_sentinel2.simulator._scene import Scene
from swath_sentinel2.simulator._truth import (
    Layers,
    band_reflectance,
    classes,
    layers,
    on_ten_metres,
    quantify,
    true_colour,
)

Bytes = NDArray[np.uint8]
Progress = Callable[[float], None]

_STRIP = 60
"""Rows of the 10 m grid that are worked on at once: few enough to stay in the processor's cache."""
_PREVIEW = 32
"""Pixels of 10 m along a pixel of the preview image."""
_NO_DATA = 5
"""Component of ``MSK_QUALIT`` that flags pixels without data, counted from 0."""


def write_scene(
    scene: Scene, destination: Path, *, overwrite: bool, workers: int, progress: Progress
) -> Path:
    """Write the product's folder into the folder ``destination`` and return its path; see ``simulate``."""
    if destination.suffix == ".SAFE":
        message = f"{destination} names a product: give the folder that it shall be written into."
        raise DestinationError(message)
    final = destination / names.product_name(scene)
    try:
        destination.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = (
            f"Cannot make the folder {destination}: {error.strerror or error}. Choose another destination."
        )
        raise DestinationError(message) from error
    check_destination(final, overwrite=overwrite)
    with new_product(final, overwrite) as partial:
        try:
            _Writer(scene, partial, workers, progress).write()
        except OSError as error:
            raise error if error.errno else WriteError(f"Cannot write {final}: {error}.") from error
    progress(1.0)
    return final


class _Writer:
    """Writes one scene; its images are made and encoded side by side, by threads."""

    def __init__(self, scene: Scene, folder: Path, workers: int, progress: Progress) -> None:
        self._scene = scene
        self._folder = folder
        self._workers = workers
        self._progress = progress
        self._done = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._layers = np.empty((len(Layers._fields), scene.size, scene.size), np.uint8)
        for name in (names.image_file(scene, "TCI"), names.preview_file(scene)):
            (folder / name).parent.mkdir(parents=True)
        (folder / names.datastrip_folder(scene)).mkdir(parents=True)

    def write(self) -> None:
        """Write everything."""
        strips = list(_strips(self._scene.size, 10))
        self._all([lambda strip=strip: self._make_layers(strip, 0.2 / len(strips)) for strip in strips])
        # Long ones first, so that the threads end at about the same time.
        jobs = [self._write_true_colour]
        for band in sorted(BANDS, key=lambda band: band.resolution):
            jobs += [lambda band=band: self._write_band(band), lambda band=band: self._write_band_masks(band)]
        self._all(jobs)
        cloudy, snowy = self._write_classification()
        self._write_preview()
        self._write_metadata(cloudy, snowy)

    def _all(self, jobs: list[Callable[[], None]]) -> None:
        """Do all jobs on threads; at the first failure, or Ctrl-C, stop the others."""
        with ThreadPoolExecutor(self._workers, thread_name_prefix="simulate") as pool:
            futures: list[Future[None]] = [pool.submit(job) for job in jobs]
            try:
                done, _ = wait(futures, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
            except BaseException:
                self._stop.set()
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _advance(self, share: float) -> None:
        with self._lock:
            self._done += share
            self._progress(min(self._done, 0.99))

    def _make_layers(self, window: Window, share: float) -> None:
        if self._stop.is_set():
            return
        (top, bottom), _ = window
        self._layers[:, top:bottom] = layers(self._scene, window)
        self._advance(share)

    def _cached(self, window: Window) -> Layers:
        (top, bottom), (left, right) = window
        return Layers(*self._layers[:, top:bottom, left:right])

    def _place(self, spacing: int) -> Georeference:
        east, north = self._scene.corner
        return Georeference(self._scene.epsg, east, north, spacing)

    def _numbers(self, band: Band, window: Window) -> NDArray[np.uint16]:
        seen = detectors(self._scene, band, window)
        return quantify(
            band_reflectance(self._cached(on_ten_metres(window, band.resolution)), seen, band), seen
        )

    def _write_band(self, band: Band) -> None:
        side = self._scene.pixels(band.resolution)
        self._write_picture(
            "image", band.name, side, band.resolution, lambda window: self._numbers(band, window)[None]
        )

    def _write_true_colour(self) -> None:
        def colours(window: Window) -> Bytes:
            return np.stack(
                [true_colour(self._numbers(BY_NAME[name], window)) for name in ("B04", "B03", "B02")]
            )

        self._write_picture("image", "TCI", self._scene.size, 10, colours)

    def _write_picture(
        self,
        _kind: str,
        name: str,
        side: int,
        resolution: int,
        pixels: Callable[[Window], NDArray[np.uint16] | Bytes],
    ) -> None:
        def strips() -> Iterator[NDArray[np.uint16] | Bytes]:
            for window in _strips(side, resolution):
                if self._stop.is_set():
                    return
                yield pixels(window)

        colour = name == "TCI"
        write_picture(
            self._folder / names.image_file(self._scene, name),
            side=side,
            tile=self._scene.codec_tile(resolution),
            place=self._place(resolution),
            strips=strips(),
            bits=8 if colour else 15,
            components=3 if colour else 1,
        )
        self._advance(0.7 * (2.0 if colour else (10 / resolution) ** 2) / 7.6)

    def _write_band_masks(self, band: Band) -> None:
        def footprint(window: Window) -> Bytes:
            return _footprint(self._scene, band, window)[:, :, None]

        def quality(window: Window) -> Bytes:
            flags = np.zeros((*_shape(window), 8), np.uint8)
            flags[:, :, _NO_DATA] = _footprint(self._scene, band, window) == 0
            return flags

        self._write_mask("DETFOO", band.name, band.resolution, 1, footprint)
        self._write_mask("QUALIT", band.name, band.resolution, 8, quality)
        self._advance(0.1 / len(BANDS))

    def _write_mask(
        self, kind: str, name: str, resolution: int, components: int, pixels: Callable[[Window], Bytes]
    ) -> None:
        write_mask(
            self._folder / names.mask_file(self._scene, kind, name),
            side=self._scene.pixels(resolution),
            tile=self._scene.codec_tile(resolution),
            components=components,
            place=self._place(resolution),
            pixels=pixels,
        )

    def _write_classification(self) -> tuple[float, float]:
        """Write the classification; return the percentages of cloudy and snowy pixels among those with data."""
        side = self._scene.pixels(60)
        whole: Window = ((0, side), (0, side))
        seen = detectors(self._scene, BY_NAME["B01"], whole)
        flags = np.concatenate(
            [
                classes(self._cached(on_ten_metres(window, 60)), seen[slice(*window[0])])
                for window in _strips(side, 60)
            ],
            axis=1,
        )

        def pixels(window: Window) -> Bytes:
            (top, bottom), (left, right) = window
            return np.moveaxis(flags[:, top:bottom, left:right], 0, -1)

        self._write_mask("CLASSI", "B00", 60, 3, pixels)
        valid = max(int((seen != 0).sum()), 1)
        return 100 * int(flags[:2].sum()) / valid, 100 * int(flags[2].sum()) / valid

    def _write_preview(self) -> None:
        """Write the preview: of the true-colour image, one pixel in 32 along rows and columns."""
        side = self._scene.size // _PREVIEW
        middle = _PREVIEW // 2
        picture = np.empty((3, side, side), np.uint8)
        for row in range(side):
            top = row * _PREVIEW + middle
            window = (top, top + 1), (0, self._scene.size)
            for component, name in enumerate(("B04", "B03", "B02")):
                numbers = self._numbers(BY_NAME[name], window)
                picture[component, row] = true_colour(numbers)[0, middle::_PREVIEW][:side]
        write_picture(
            self._folder / names.preview_file(self._scene),
            side=side,
            tile=1024,
            place=self._place(10 * _PREVIEW),
            strips=[picture],
            bits=8,
            components=3,
        )

    def _write_metadata(self, cloudy: float, snowy: float) -> None:
        scene, folder = self._scene, self._folder
        (folder / "MTD_MSIL1C.xml").write_bytes(product_metadata(scene, cloudy))
        granule = granule_metadata(scene, cloudy=cloudy, snowy=snowy)
        (folder / names.granule_folder(scene) / "MTD_TL.xml").write_bytes(granule)
        (folder / names.datastrip_folder(scene) / "MTD_DS.xml").write_bytes(datastrip_metadata(scene))
        for name, text in notes(scene).items():
            (folder / name).write_bytes(text)
        (folder / "manifest.safe").write_bytes(manifest(scene, folder))


def _strips(side: int, resolution: int) -> Iterator[Window]:
    """Cut a grid into strips of whole rows, from top to bottom."""
    height = _STRIP * 10 // resolution
    for top in range(0, side, height):
        yield (top, min(top + height, side)), (0, side)


def _shape(window: Window) -> tuple[int, int]:
    (top, bottom), (left, right) = window
    return bottom - top, right - left


def _footprint(scene: Scene, band: Band, window: Window) -> Bytes:
    """Detectors in a window, told from its corners alone where one sees it all: borders are straight lines."""
    (top, bottom), (left, right) = window
    corners = {
        int(detectors(scene, band, ((row, row + 1), (column, column + 1)))[0, 0])
        for row in (top, bottom - 1)
        for column in (left, right - 1)
    }
    if len(corners) == 1:
        return np.full(_shape(window), corners.pop(), np.uint8)
    return detectors(scene, band, window)


def simulate(
    destination: Path | str,
    *,
    size: int = 1098,
    seed: int = 1,
    cloud_cover: float = 0.2,
    cirrus_cover: float = 0.05,
    empty_cover: float = 0.08,
    tile: str = "T32TQM",
    sensing: datetime | None = None,
    codec_tiles: tuple[int, int, int] | None = None,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a simulated level-1C product.

    Parameters
    ----------
    destination
        Folder that the product's folder is written into; made if there is none.
    size, seed, cloud_cover, cirrus_cover, empty_cover, tile, sensing, codec_tiles
        The scene; see ``Scene``.
    overwrite
        Replace a product of the same name, once the new one is complete.
    workers
        Threads; by default one a processor.
    progress
        Called now and then, from any thread, with the share that is done, 0 to 1.

    Returns
    -------
    Path
        The product's folder, which ends in ``.SAFE``.

    Raises
    ------
    InputError
        If a parameter is out of its range, or the destination exists or cannot be one.
    WriteError
        If the system refuses to write; nothing is left under the product's name.
    """
    chosen: dict[str, object] = {}
    if sensing is not None:
        chosen["sensing"] = sensing
    if codec_tiles is not None:
        chosen["codec_tiles"] = codec_tiles
    scene = Scene(
        size=size,
        seed=seed,
        cloud_cover=cloud_cover,
        cirrus_cover=cirrus_cover,
        empty_cover=empty_cover,
        tile=tile,
        **chosen,  # type: ignore[arg-type] -- only given where not the default
    )
    return write_scene(
        scene,
        Path(destination),
        overwrite=overwrite,
        workers=workers or os.cpu_count() or 1,
        progress=progress or (lambda _: None),
    )
