"""Write a simulated scene as a product folder: images side by side on threads, metadata last."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray

from swath_sentinel2.simulator import _names as names
from swath_sentinel2.simulator._bands import BANDS, BY_NAME, RESOLUTIONS, Band
from swath_sentinel2.simulator._detectors import detectors
from swath_sentinel2.simulator._georeference import Georeference
from swath_sentinel2.simulator._granule_metadata import granule_metadata
from swath_sentinel2.simulator._level2 import LEVEL2_KINDS, level2_bands, level2_images, level2_pixels
from swath_sentinel2.simulator._mask_image import write_mask
from swath_sentinel2.simulator._noise import Window
from swath_sentinel2.simulator._package import datastrip_metadata, manifest, notes
from swath_sentinel2.simulator._picture import write_picture
from swath_sentinel2.simulator._product_metadata import product_metadata
from swath_sentinel2.simulator._scene import Scene
from swath_sentinel2.simulator._truth import (
    NO_DATA,
    QUALITY_FLAGS,
    Layers,
    band_reflectance,
    classes,
    layers,
    on_ten_metres,
    quantify,
    true_colour,
)

_CACHE = 128_000_000
"""Bytes of pixels that GDAL keeps: a few rows of tiles, not its usual share of the machine's memory."""

Bytes = NDArray[np.uint8]
Progress = Callable[[float], None]
Job = Callable[[], None]

_STRIP = 60
"""Rows of the 10 m grid that are worked on at once: few enough to stay in the processor's cache."""
_PREVIEW = 32
"""Pixels of 10 m along a pixel of the preview image."""
_DETECTOR_BITS = 4
_RED_GREEN_BLUE = (BY_NAME["B04"], BY_NAME["B03"], BY_NAME["B02"])

# What the parts take of the whole time, for the progress bar.
_LAYERS_SHARE, _IMAGES_SHARE, _MASKS_SHARE = 0.08, 0.86, 0.05
_TRUE_COLOUR_WEIGHT = 1.7


class Writer:
    """Writes one scene into a folder that exists and is empty."""

    def __init__(self, scene: Scene, folder: Path, *, workers: int, progress: Progress) -> None:
        self._scene = scene
        self._folder = folder
        self._workers = workers
        self._progress = progress
        self._done = 0.0
        self._lock = threading.Lock()
        self._stop = threading.Event()
        # Every band is made of the same layers, so these are made once: 5 bytes a pixel, 603 MB at full size.
        shape = (scene.size, scene.size)
        self._bands = BANDS if scene.level == "L1C" else level2_bands()
        self._layers = Layers(np.empty(shape, np.uint16), *(np.empty(shape, np.uint8) for _ in range(3)))

    def write(self) -> None:
        """Write everything."""
        scene = self._scene
        for name in (
            *(names.image_file(scene, "TCI", r) for r in _resolutions(scene)),
            names.preview_file(scene),
        ):
            (self._folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / names.datastrip_folder(scene)).mkdir(parents=True)

        strips = list(_strips(scene.size, 10))
        self._all([partial(self._make_layers, strip, _LAYERS_SHARE / len(strips)) for strip in strips])
        # Long ones first, so that the threads end at about the same time.
        jobs: list[Job] = [partial(self._write_true_colour, r) for r in _resolutions(scene)]
        finest_first = sorted(self._bands, key=lambda band: band.resolution)
        jobs += [partial(self._write_band, band) for band in finest_first]
        jobs += [partial(self._write_band_masks, band) for band in BANDS]
        if scene.level == "L2A":
            jobs += [partial(self._write_level2, r) for r in _resolutions(scene)]
        self._all(jobs)
        cloudy, snowy = self._write_classification()
        self._write_preview()
        self._write_metadata(cloudy, snowy)

    def _all(self, jobs: list[Job]) -> None:
        """Do all jobs on threads; at the first failure, or Ctrl-C, stop the others."""
        # GDAL's cache is one for the process: bounded around all threads, not by the first of them to end.
        bounded = rasterio.Env(GDAL_CACHEMAX=_CACHE)
        with bounded, ThreadPoolExecutor(self._workers, thread_name_prefix="simulate") as pool:
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
        made, kept = layers(self._scene, window), self._layers.part(window)
        kept.ground[:] = made.ground
        kept.cloud[:] = made.cloud
        kept.shadow[:] = made.shadow
        kept.cirrus[:] = made.cirrus
        self._advance(share)

    def _place(self, spacing: int) -> Georeference:
        east, north = self._scene.corner
        return Georeference(self._scene.epsg, east, north, spacing)

    def _numbers(self, band: Band, window: Window) -> NDArray[np.uint16]:
        seen = detectors(self._scene, band, window)
        stack = self._layers.part(on_ten_metres(window, band.resolution))
        surface = self._scene.level == "L2A"
        return quantify(band_reflectance(stack, seen, band, surface=surface), seen)

    def _colours(self, window: Window, resolution: int = 10) -> Bytes:
        shown = (replace(band, resolution=resolution) for band in _RED_GREEN_BLUE)
        return np.stack([true_colour(self._numbers(band, window)) for band in shown])

    def _write_band(self, band: Band) -> None:
        self._write_image(band.name, band.resolution, lambda window: self._numbers(band, window)[None])

    def _write_true_colour(self, resolution: int) -> None:
        self._write_image("TCI", resolution, lambda window: self._colours(window, resolution))

    def _write_level2(self, resolution: int) -> None:
        """Write what level 2A has beside bands, all of it made of the layers."""
        scene = self._scene

        def pixels(kind: str, window: Window) -> NDArray[np.uint16] | Bytes:
            stack = self._layers.part(on_ten_metres(window, resolution))
            return level2_pixels(scene, kind, resolution, window, stack)

        def image(kind: str, window: Window) -> NDArray[np.uint16] | Bytes:
            return pixels(kind, window)[None]

        def mask(kind: str, window: Window) -> Bytes:
            return pixels(kind, window)[:, :, None].astype(np.uint8)

        for kind in [kind for kind, at in level2_images() if at == resolution and kind in LEVEL2_KINDS]:
            self._write_image(kind, resolution, partial(image, kind))
        for kind in ("CLDPRB", "SNWPRB") if resolution > 10 else ():
            if self._stop.is_set():
                return
            write_mask(
                self._folder / names.mask_file(scene, kind, f"{resolution}m"),
                side=scene.pixels(resolution),
                tile=scene.codec_tile(resolution),
                components=1,
                bits=7,
                place=self._place(resolution),
                pixels=partial(mask, kind),
            )

    def _write_image(
        self, kind: str, resolution: int, pixels: Callable[[Window], NDArray[np.uint16] | Bytes]
    ) -> None:
        side = self._scene.pixels(resolution)

        def strips() -> Iterator[NDArray[np.uint16] | Bytes]:
            for window in _strips(side, resolution):
                if self._stop.is_set():
                    return
                yield pixels(window)

        colour = kind == "TCI"
        write_picture(
            self._folder / names.image_file(self._scene, kind, resolution),
            side=side,
            tile=self._scene.codec_tile(resolution),
            place=self._place(resolution),
            strips=strips(),
            bits=8 if colour or kind == "SCL" else 15,
            components=3 if colour else 1,
        )
        weights = sum((10 / band.resolution) ** 2 for band in self._bands)
        weights += sum(_TRUE_COLOUR_WEIGHT * (10 / r) ** 2 for r in _resolutions(self._scene))
        share = (_TRUE_COLOUR_WEIGHT if colour else 1.0) * (10 / resolution) ** 2 / weights
        if colour or kind in BY_NAME:
            self._advance(_IMAGES_SHARE * share)

    def _write_band_masks(self, band: Band) -> None:
        def footprint(window: Window) -> Bytes:
            return detectors(self._scene, band, window)[:, :, None]

        def quality(window: Window) -> Bytes:
            seen = detectors(self._scene, band, window)
            flags = np.zeros((*seen.shape, QUALITY_FLAGS), np.uint8)
            flags[:, :, NO_DATA] = seen == 0
            return flags

        if not self._stop.is_set():
            self._write_mask("DETFOO", band, components=1, bits=_DETECTOR_BITS, pixels=footprint)
        if not self._stop.is_set():
            self._write_mask("QUALIT", band, components=QUALITY_FLAGS, bits=1, pixels=quality)
        self._advance(_MASKS_SHARE / len(BANDS))

    def _write_mask(
        self, kind: str, band: Band | None, *, components: int, bits: int, pixels: Callable[[Window], Bytes]
    ) -> None:
        """Write a band's mask, or the one of no band, which is on the 60 m grid."""
        resolution = band.resolution if band else 60
        write_mask(
            self._folder / names.mask_file(self._scene, kind, band.name if band else "B00"),
            side=self._scene.pixels(resolution),
            tile=self._scene.codec_tile(resolution),
            components=components,
            bits=bits,
            place=self._place(resolution),
            pixels=pixels,
        )

    def _write_classification(self) -> tuple[float, float]:
        """Write the classification; return the percentages of cloudy and snowy pixels among those seen."""
        scene, side = self._scene, self._scene.pixels(60)
        seen = detectors(scene, BY_NAME["B01"], ((0, side), (0, side)))
        strips = [
            classes(self._layers.part(on_ten_metres(window, 60)), seen[slice(*window[0])])
            for window in _strips(side, 60)
        ]
        flags = np.concatenate(strips, axis=1)

        def pixels(window: Window) -> Bytes:
            (top, bottom), (left, right) = window
            return np.moveaxis(flags[:, top:bottom, left:right], 0, -1)

        self._write_mask("CLASSI", None, components=len(flags), bits=1, pixels=pixels)
        valid = max(int((seen != 0).sum()), 1)
        return 100 * int(flags[:2].sum()) / valid, 100 * int(flags[2].sum()) / valid

    def _write_preview(self) -> None:
        """Write the preview: one pixel in 32 of the true-colour image, along rows and columns."""
        side, middle = self._scene.size // _PREVIEW, _PREVIEW // 2
        picture = np.empty((len(_RED_GREEN_BLUE), side, side), np.uint8)
        for row in range(side):
            top = row * _PREVIEW + middle
            colours = self._colours(((top, top + 1), (0, self._scene.size)))
            picture[:, row] = colours[:, 0, middle::_PREVIEW][:, :side]
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
        (folder / f"MTD_MSI{scene.level}.xml").write_bytes(product_metadata(scene, cloudy))
        granule = granule_metadata(scene, cloudy=cloudy, snowy=snowy)
        (folder / names.granule_folder(scene) / "MTD_TL.xml").write_bytes(granule)
        (folder / names.datastrip_folder(scene) / "MTD_DS.xml").write_bytes(datastrip_metadata(scene))
        for name, text in notes(scene).items():
            (folder / name).write_bytes(text)
        (folder / "manifest.safe").write_bytes(manifest(scene, folder))


def _resolutions(scene: Scene) -> tuple[int, ...]:
    """Resolutions at which there is a true-colour image."""
    return (10,) if scene.level == "L1C" else RESOLUTIONS


def _strips(side: int, resolution: int) -> Iterator[Window]:
    """Cut a grid into strips of whole rows, from top to bottom."""
    height = _STRIP * 10 // resolution
    for top in range(0, side, height):
        yield (top, min(top + height, side)), (0, side)
