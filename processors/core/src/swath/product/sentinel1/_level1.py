"""Opening SLC and GRD products: the tree of an EOPF product over the files of a SAFE."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.errors import ProductError
from swath.io.tiff import FRONT, Header, read_header
from swath.product._chunks import lazy_array, source_encoding
from swath.product.sentinel1._annotation import Burst, ImageAnnotation, read_annotation
from swath.product.sentinel1._attributes import common_attributes, image_attributes
from swath.product.sentinel1._conditions import conditions, other_metadata
from swath.product.sentinel1._images import Lines
from swath.product.sentinel1._luts import read_calibration, read_noise
from swath.product.sentinel1._manifest import MANIFEST, Manifest, read_kind, read_manifest

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["L1_SAFE", "SafeL1Reader"]

_KINDS = {
    "annotation": "s1Level1ProductSchema",
    "measurement": "s1Level1MeasurementSchema",
    "calibration": "s1Level1CalibrationSchema",
    "noise": "s1Level1NoiseSchema",
}
"""Schemas of the files of an image, in the manifest."""

_STEM = re.compile(
    r"(?:^|/)(?:calibration-|noise-)?(s1[a-z0-9]-[a-z0-9]+-[a-z0-9]+-[hv]{2}-[0-9a-z-]+?)(?:-cog)?[.]\w+$"
)


@dataclass(frozen=True, slots=True)
class _Files:
    """Files of one image."""

    annotation: str
    measurement: str
    calibration: str | None
    noise: str | None


class SafeL1Reader:
    """Reads Sentinel-1 SLC and GRD in SAFE; see :class:`swath.product.Reader`.

    An image none of whose files is there is left out (a partial download); one that lacks some is refused.
    Not read: quick looks, previews, and the annotation of radio frequency interference.
    """

    looks_for = f"a Sentinel-1 SLC or GRD SAFE (with {MANIFEST}, annotation/ and measurement/)"

    def can_read(self, store: Store) -> bool:
        """Tell whether there are a manifest and an annotation of Sentinel-1."""
        return store.exists(MANIFEST) and any(
            re.match(r"annotation/s1[^/]*[.]xml$", n) for n in store.names()
        )

    def open(self, store: Store) -> xr.DataTree:
        """Return the product as a lazy tree. Reads the annotations and the headers of all images."""
        kind = read_kind(store)
        if not kind.startswith(("sar/level-1/slc/", "sar/level-1/grd/")):
            raise ProductError(
                f"{store.location}: its {MANIFEST} is of {kind or 'nothing known'}, "
                "expected a level-1 SLC or GRD"
            )
        manifest = read_manifest(store)
        datasets: dict[str, xr.Dataset] = {}
        resolution, number = "", 0
        for files in _images(store, manifest):
            image = read_annotation(store, files.annotation)
            resolution = resolution or _resolution(image)
            for path, dataset in _image(store, manifest, image, files).items():
                if path in datasets:
                    raise ProductError(f"{store.location}: two images are both {path}; get the product again")
                datasets[path] = dataset
            number += 1
        if not number:
            raise ProductError(
                f"{store.location}: none of the images that its {MANIFEST} names are there; "
                "get the product again"
            )
        product_type = f"S01S{manifest.mode_family}{manifest.product_type}"
        attributes = common_attributes(manifest, product_type, manifest.identifier(resolution), "L1")
        names = sorted({path.split("/")[1] for path in datasets})
        attributes["stac_discovery"]["assets"] = {name: {"href": name} for name in names}
        datasets["/"] = xr.Dataset(attrs=attributes)
        return xr.DataTree.from_dict(dict(sorted(datasets.items())))


L1_SAFE = SafeL1Reader()


def _images(store: Store, manifest: Manifest) -> list[_Files]:
    """Return the files of each image; those that are not there at all are left out."""
    by_stem: dict[str, dict[str, str]] = {}
    for kind, schema in _KINDS.items():
        for name in manifest.files(schema):
            found = _STEM.search(name)
            if found is None:
                raise ProductError(f"{store.location}: {name} is called unlike the files of Sentinel-1")
            by_stem.setdefault(found[1], {})[kind] = name
    images = []
    for files in by_stem.values():
        missing = [name for name in files.values() if not store.exists(name)]
        missing += [f"its {kind}" for kind in ("annotation", "measurement") if kind not in files]
        if len(missing) == len(files):
            continue
        if missing:
            raise ProductError(
                f"{store.location}: missing are {', '.join(missing)}, but other files of the same image are "
                "there; get the product again, or take those away, too"
            )
        images.append(
            _Files(files["annotation"], files["measurement"], files.get("calibration"), files.get("noise"))
        )
    texts = [name for files in by_stem.values() for kind, name in files.items() if kind != "measurement"]
    store.warm([(name, 0, None) for name in texts] + [(files.measurement, 0, FRONT) for files in images])
    return images


def _resolution(image: ImageAnnotation) -> str:
    """Return the letter of a ground range product's resolution, by the spacing of its pixels."""
    if not image.axes.ground:
        return ""
    return "F" if image.spacing[1] < 5 else "H" if image.spacing[1] < 30 else "M"


def _image(store: Store, manifest: Manifest, image: ImageAnnotation, files: _Files) -> dict[str, xr.Dataset]:
    """Return all groups of an image, a product of its own for each burst."""
    header = read_header(store, files.measurement)
    if header.shape != image.shape or header.dtype != (np.uint16 if image.axes.ground else np.complex64):
        raise ProductError(
            f"{store.location}: {files.measurement} has {header.shape} pixels of {header.dtype}, but its "
            f"annotation tells of {image.shape}; get the product again"
        )
    shared = conditions(image)
    if files.calibration:
        shared |= read_calibration(store, files.calibration, image)
    if files.noise:
        shared |= read_noise(store, files.noise, image)
    if len(header.tie_points):
        shared["conditions/tie_points"] = _tie_points(header)
    more = other_metadata(image)
    found: dict[str, xr.Dataset] = {}
    for burst in image.bursts:
        name = _name(manifest, image, burst)
        found[f"/{name}"] = xr.Dataset(attrs=image_attributes(manifest, image, burst, name, more))
        found[f"/{name}/measurements"] = _measurements(store, header, image, burst)
        if burst.first_valid is not None:
            found[f"/{name}/conditions/burst_info"] = _burst_info(image, burst)
        found |= {f"/{name}/{path}": dataset for path, dataset in shared.items()}
    return found


def _name(manifest: Manifest, image: ImageAnnotation, burst: Burst) -> str:
    """Return a name as EOPF products have it: of the product, then of what in it.

    Images of wave mode (and of strip map, which has one) are told apart by their number.
    """
    seconds = round((manifest.stop - manifest.start).total_seconds())
    parts = [
        f"S01S{manifest.mode_family}{manifest.product_type}",
        f"{manifest.start:%Y%m%dT%H%M%S}",
        f"{seconds:04d}",
        f"{manifest.unit}{manifest.relative_orbit:03d}",
        manifest.unique,
        f"{manifest.datatake:06X}",
        image.polarisation,
    ]
    if image.product_type == "SLC" and manifest.mode_family != "SM":
        parts.append(image.swath)
    if manifest.mode == "WV":
        parts.append(f"{image.number:03d}")
    if burst.name:
        parts.append(burst.name)
    return "_".join(parts)


def _measurements(store: Store, header: Header, image: ImageAnnotation, burst: Burst) -> xr.Dataset:
    source = Lines(store, header, *burst.lines)
    attributes = {"long_name": "digital numbers of the image", "units": "1"}
    axes, lines = image.axes, np.arange(*burst.lines)
    pixels = np.arange(image.shape[1])
    array = xr.Variable(
        ("azimuth_time", axes.name),
        lazy_array(source),
        attributes,
        source_encoding(source, {"dtype": source.dtype}),
    )
    return xr.Dataset(
        {"grd" if axes.ground else "slc": array},
        coords={
            "azimuth_time": _times(image, burst),
            "line": ("azimuth_time", lines),
            axes.name: (axes.name, axes.columns(pixels), axes.attributes()),
            "pixel": (axes.name, pixels),
        },
    )


def _times(image: ImageAnnotation, burst: Burst) -> Any:
    """Return the zero Doppler time of each line of a burst."""
    count = burst.lines[1] - burst.lines[0]
    return burst.start + np.round(np.arange(count) * image.axes.line_step * 1e9).astype("timedelta64[ns]")


def _burst_info(image: ImageAnnotation, burst: Burst) -> xr.Dataset:
    return xr.Dataset(
        {
            "first_valid_sample": (
                "azimuth_time",
                burst.first_valid,
                {"long_name": "-1 where there is none"},
            ),
            "last_valid_sample": ("azimuth_time", burst.last_valid, {"long_name": "-1 where there is none"}),
        },
        coords={"azimuth_time": _times(image, burst)},
    )


def _tie_points(header: Header) -> xr.Dataset:
    """Return the ground control points that the image itself carries."""
    names = ("column", "row", None, "longitude", "latitude", "height")
    return xr.Dataset(
        {name: ("point", header.tie_points[:, k]) for k, name in enumerate(names) if name},
        attrs={"description": "ground control points in the file of the image (EPSG:4326)"},
    )
