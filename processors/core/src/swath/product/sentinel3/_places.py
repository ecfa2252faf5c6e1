"""Where each variable of a SEN3 file is in the EOPF product: rules, one function a kind of product.

Sources: the models S03OLCEFR, S03OLCERR, S03OLCLFR, S03OLCLRR, S03SLSRBT, S03SLSLST and S03SYNSDR of eopf
2.8.1; S3IPF PDS 004.1 and 004.2 (OLCI), 005.1 and 005.2 (SLSTR), 006 (SYN) for the names in the files.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

__all__ = ["PLACES", "Place", "Placing"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a variable goes."""

    group: str
    """Path of the group, without a slash before it."""
    name: str
    coordinate: bool = False
    """Whether it is a coordinate of the group rather than one of its variables."""
    order: tuple[str, ...] = ()
    """Dimensions to bring to the front, where the file has them at the end."""


Placing = Callable[[str, str, tuple[str, ...]], tuple[Place, ...]]
"""File without ``.nc``, variable, its dimensions → where it goes; nowhere where it is left out."""

_VIEWS = {"n": "nadir", "o": "oblique"}
_IMAGES = ("measurements", "quality", "conditions/image")
_ORPHANS = ("measurements/orphans", "quality/orphans", "conditions/orphans")
_TIES = ("conditions/geometry", "conditions/meteorology")
_PROFILE = ("pressure_level", "wind_vector")

_GIFAPAR = re.compile(r"^ogvi")
_SLSTR_FILE = re.compile(r"(?P<stem>\w+?)_(?P<grid>[abcfit])(?P<view>[nox])")


def _coordinates(groups: tuple[str, ...], name: str) -> tuple[Place, ...]:
    return tuple(Place(group, name, coordinate=True) for group in groups)


def olci(file: str, variable: str, dimensions: tuple[str, ...]) -> tuple[Place, ...]:  # noqa: PLR0911 -- a rule a line
    """Place a variable of an OLCI product."""
    name = variable.lower()
    match file:
        case "geo_coordinates":
            return _coordinates(_IMAGES, name)
        case "time_coordinates":
            return _coordinates(_IMAGES, name)
        case "tie_geo_coordinates":
            return _coordinates(_TIES, name)
        case "tie_geometries":
            return (Place("conditions/geometry", name),)
        case "tie_meteo":
            if name == "reference_pressure_level":
                return _coordinates(("conditions/meteorology",), name)
            return (Place("conditions/meteorology", name, order=_PROFILE),)
        case "instrument_data":
            # Up to processing baseline 2.x the offset of each detector; of each pixel since.
            image = "rows" in dimensions
            return (Place("conditions/image" if image else "conditions/instrument", name),)
        case "removed_pixels":
            return _olci_orphan(name)
    return (_olci_image(name),)


def olci_land(file: str, variable: str, dimensions: tuple[str, ...]) -> tuple[Place, ...]:
    """Place a variable of an OLCI land product: one has another name there than at level 1."""
    if variable == "atmospheric_temperature_profile":
        return (Place("conditions/meteorology", "temperature_profile", order=_PROFILE),)
    return olci(file, variable, dimensions)


def _olci_image(name: str) -> Place:
    name = _GIFAPAR.sub("gifapar", name)
    if name.endswith(("_err", "_unc")):
        return Place("quality", f"{name[:-4]}_unc")
    quality = name in ("quality_flags", "lqsf", "wqsf") or name.endswith("_quality_flags")
    return Place("quality" if quality else "measurements", name)


def _olci_orphan(name: str) -> tuple[Place, ...]:
    name = name.removesuffix("_removed")
    if name in ("latitude", "longitude", "altitude"):
        return _coordinates(_ORPHANS, name)
    if name in ("detector_index", "frame_offset", "sza", "nb_removed_pixels"):
        return (Place("conditions/orphans", name),)
    place = _olci_image(name)
    return (Place(f"{place.group}/orphans", place.name),)


def slstr_rbt(file: str, variable: str, _dimensions: tuple[str, ...]) -> tuple[Place, ...]:  # noqa: PLR0911 -- a rule a line
    """Place a variable of SLSTR level 1."""
    if file == "viscal":
        return (Place("conditions/viscal", variable.lower()),)
    found = _SLSTR_FILE.fullmatch(file)
    if found is None:
        return ()
    stem, grid, view = found["stem"], found["grid"], found["view"]
    name = variable.lower()
    if grid == "t":
        return _slstr_tie(stem, view, name, ("conditions/geometry_tn", "conditions/geometry_to"))
    suffix = f"_{grid}{view}"
    node = f"{grid}{_VIEWS.get(view, '')}"
    orphan = "_orphan_" in f"{name}_"
    plain = name.replace("_orphan", "")
    bare = plain.removesuffix(suffix)
    below = f"{node}/orphan" if orphan else node
    match stem:
        case "flags":
            return (Place(f"quality/{below}", bare if orphan else plain),)
        case "indices":
            return (Place(f"conditions/processing/{below}", bare),)
        case "geodetic" | "cartesian":
            if orphan:
                return (Place(f"measurements/{below}", plain),)
            if bare == "elevation":
                return (Place(f"measurements/{below}", bare),)
            return _coordinates((f"measurements/{below}", f"quality/{below}"), bare)
        case "time":
            if name.startswith("time_stamp"):
                return (Place(f"measurements/{grid}nadir", "time_stamp"),)
            return (Place(f"conditions/time_{grid}{view}", name),)
    if stem.endswith("_quality"):
        return (Place(f"conditions/instrument/{node}/{stem[:2].lower()}", name),)
    part = "quality" if "_exception" in name else "measurements"
    return (Place(f"{part}/{below}", bare if orphan else plain),)


def _slstr_tie(stem: str, view: str, name: str, geometries: tuple[str, ...]) -> tuple[Place, ...]:
    """Place what is on the 16 km tie points."""
    match stem:
        case "geodetic" | "cartesian":
            return _coordinates((*geometries, "conditions/meteorology"), name.removesuffix("_tx"))
        case "geometry":
            own = [group for group in geometries if group.endswith(f"_t{view}")] or list(geometries)
            return tuple(Place(group, name) for group in own[:1])
        case "met":
            tied = name.removesuffix("_tx")
            order = ("t_series", "p_atmos")
            return (
                Place("conditions/meteorology", f"{tied}_tp" if name.endswith("_tx") else name, order=order),
            )
    return ()


def slstr_lst(file: str, variable: str, _dimensions: tuple[str, ...]) -> tuple[Place, ...]:  # noqa: PLR0911 -- a rule a line
    """Place a variable of SLSTR level 2 land surface temperature."""
    name = variable.lower()
    orphan = "_orphan" in name
    below = "/orphan" if orphan else ""
    found = _SLSTR_FILE.fullmatch(file)
    stem, grid = (found["stem"], found["grid"]) if found else (file, "")
    bare = name.replace("_orphan", "")
    bare = bare.removesuffix("_in")
    if grid == "t":
        return _slstr_tie(stem, "n", name, ("conditions/geometry",))
    match stem:
        case "LST":
            part = "measurements" if bare == "lst" else "quality"
            return (Place(f"{part}{below}", bare),)
        case "LST_ancillary_ds":
            if bare.startswith("lst_uncertainty_"):  # of each pixel: locATM, locGEO, random, …
                return (Place(f"quality{below}", bare.replace("_loc", "_")),)
            return (Place(f"conditions/auxiliary{below}", bare),)
        case "flags":
            return (Place(f"quality{below}", f"{bare}_orphan_in" if orphan else f"{bare}_in"),)
        case "indices":
            return (Place(f"conditions/processing{below}", bare),)
        case "time":
            return (Place("conditions/time", name),)
        case "geodetic" | "cartesian":
            if bare == "elevation":
                return (Place(f"conditions/auxiliary{below}", bare),)
            groups = ("measurements", "quality", "conditions/auxiliary")
            return _coordinates(tuple(f"{group}{below}" for group in groups), bare)
    return ()


_SDR = re.compile(r"sdr_(?P<band>oa\d\d|s\d)(?P<view>[no]?)(?P<err>_err)?")
_SYN_FLAGS = {
    "cloud_flags": "cloud_flags", "olc_flags": "olci_flags", "sln_flags": "slstr_nadir_flags",
    "slo_flags": "slstr_oblique_flags", "syn_flags": "synergy_flags",
}  # fmt: skip
_AEROSOL = {"amin": "amin", "t550": "aot550", "a550": "aae550"}
_SYN_TIES = {
    "tiepoints_olci": "conditions/geometry/olci", "tiepoints_slstr_n": "conditions/geometry/slstr/nadir",
    "tiepoints_slstr_o": "conditions/geometry/slstr/oblique", "tiepoints_meteo": "conditions/meteorology",
}  # fmt: skip


def syn_sdr(file: str, variable: str, _dimensions: tuple[str, ...]) -> tuple[Place, ...]:  # noqa: PLR0911 -- a rule a line
    """Place a variable of the SYN product of surface directional reflectance."""
    name = variable.lower()
    found = _SDR.fullmatch(name)
    if found:
        view = f"/{_VIEWS[found['view']]}" if found["view"] else ""
        node = "olci" if found["band"].startswith("oa") else f"slstr{view}"
        part = "quality/uncertainties" if found["err"] else "measurements"
        return (Place(f"{part}/{node}", f"sdr_{found['band']}{'_unc' if found['err'] else ''}"),)
    if name in _AEROSOL:
        return (Place("measurements/aerosol", _AEROSOL[name]),)
    if name == "t550_err":
        return (Place("quality/uncertainties/aerosol", "aot550_unc"),)
    if name in _SYN_FLAGS:
        return (Place("quality/flags", _SYN_FLAGS[name]),)
    if file == "geolocation":
        short = {"lat": "latitude", "lon": "longitude"}.get(name, name)
        return _coordinates(("measurements/olci", "measurements/aerosol", "quality/flags"), short)
    if file == "time":
        return (Place("conditions", name),)
    if file in _SYN_TIES:
        tied = re.sub(r"^(olc|sln|slo)_", "", name)
        short = re.sub(r"^(olc|sln|slo)_tp_|^tp_", "", name)
        if short in ("lat", "lon"):
            return _coordinates((_SYN_TIES[file],), {"lat": "latitude", "lon": "longitude"}[short])
        return (Place(_SYN_TIES[file], tied),)
    return ()


PLACES: Mapping[str, Placing] = {
    "OL_1_EFR": olci,
    "OL_1_ERR": olci,
    "OL_2_LFR": olci_land,
    "OL_2_LRR": olci_land,
    "SL_1_RBT": slstr_rbt,
    "SL_2_LST": slstr_lst,
    "SY_2_SYN": syn_sdr,
}
"""Type of product → its rules."""
