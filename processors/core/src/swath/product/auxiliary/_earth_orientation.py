"""Orientation of the Earth (UT1-UTC and the pole): IERS Bulletin A, also as Sentinel-2's ``AUX_UT1UTC``.

Source: IERS Bulletin A, sections "Combined Earth orientation parameters" (rapid), "IERS Final Values" and
"Predictions".
"""

from __future__ import annotations

import os
import re
from datetime import date
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import xarray as xr

from swath.errors import InputError, ProductError
from swath.io.metering import Counts, count
from swath.product._fields import Fields
from swath.product.auxiliary._header import header_attributes, paired_file, validity

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["EARTH_ORIENTATION", "EarthOrientationReader", "earth_orientation_at", "read_earth_orientation"]

_MAX_BYTES = 16 << 20
_MJD_0 = date(1858, 11, 17)
"""Day 0 of the modified Julian dates."""

_NUMBER = r"([-+]?\d*\.\d+)"
_DAY = r"^\s*(\d{2,4})\s+(\d{1,2})\s+(\d{1,2})\s+(\d{5})\s+"
_RAPID = re.compile(_DAY + r"\s+".join([_NUMBER] * 6) + r"\s*$")
"""Year, month, day, MJD; x, error, y, error, UT1-UTC, error."""
_PLAIN = re.compile(_DAY + r"\s+".join([_NUMBER] * 3) + r"\s*$")
"""Year, month, day, MJD; x, y, UT1-UTC: final values (two digits of the year) and predictions (four)."""

_KINDS = ("final", "rapid", "predicted")
"""Best first: of a day that is told twice, the better one is kept."""


def read_earth_orientation(location: str | os.PathLike[str]) -> xr.Dataset:
    """Read a Bulletin A.

    Parameters
    ----------
    location
        Path or URL of the text, such as the ``.DBL`` file of ``AUX_UT1UTC``.

    Returns
    -------
    Dataset
        By ``time`` (UTC, midnight): ``ut1_utc`` (s), ``pole_x`` and ``pole_y`` (arcseconds), and ``kind``: 0
        final, 1 rapid, 2 predicted, as its flags tell.

    Raises
    ------
    ProductError
        There is no such file, or it is no Bulletin A.
    """
    text = os.fspath(location)
    try:
        filesystem, path = fsspec.core.url_to_fs(text)
        data: bytes = filesystem.cat_file(path, start=0, end=_MAX_BYTES)
    except (OSError, ImportError, ValueError) as error:
        raise ProductError(f"cannot read {text} ({error}): give the path of an IERS Bulletin A") from None
    count(Counts(bytes=len(data), requests=1))
    return _dataset(data, text)


def earth_orientation_at(orientation: xr.Dataset, time: Any) -> xr.Dataset:
    """Interpolate linearly in time.

    Parameters
    ----------
    orientation
        What :func:`read_earth_orientation` gave.
    time
        Times of UTC, one or an array of them, that numpy takes for ``datetime64``.

    Returns
    -------
    Dataset
        ``ut1_utc``, ``pole_x`` and ``pole_y`` at those times. UT1-UTC jumps by a second at a leap second;
        between two days with such a jump, UT1-TAI is interpolated, so that the value holds until the leap
        second.

    Raises
    ------
    InputError
        A time is outside those of the bulletin; nothing is extrapolated.
    """
    wanted = np.atleast_1d(np.asarray(time, "M8[ns]"))
    known = orientation["time"].values
    if wanted.size and (wanted.min() < known[0] or wanted.max() > known[-1]):
        raise InputError(
            f"the bulletin tells of {_day(known[0])} to {_day(known[-1])}, expected it to cover "
            f"{wanted.min().astype('M8[s]')} to {wanted.max().astype('M8[s]')}; take a bulletin of that time"
        )
    days, at = (known - known[0]) / np.timedelta64(1, "D"), (wanted - known[0]) / np.timedelta64(1, "D")
    ut1 = orientation["ut1_utc"].values
    leaps = np.concatenate([[0.0], np.cumsum(np.round(np.diff(ut1)))])
    since = leaps[np.clip(np.searchsorted(days, at, "right") - 1, 0, len(days) - 1)]
    found = {"ut1_utc": np.interp(at, days, ut1 - leaps) + since}
    found |= {name: np.interp(at, days, orientation[name].values) for name in ("pole_x", "pole_y")}
    shaped = {
        name: (("time",), values, {"units": orientation[name].attrs["units"]})
        for name, values in found.items()
    }
    result = xr.Dataset(shaped, {"time": wanted})
    return result.isel(time=0) if np.ndim(time) == 0 else result


class EarthOrientationReader:
    """Reads ``AUX_UT1UTC``, a directory of ``.HDR`` and ``.DBL``; see :class:`swath.product.Reader`."""

    looks_for = "the Earth's orientation (S2__OPER_AUX_UT1UTC_…, .HDR and .DBL)"

    def can_read(self, store: Store) -> bool:
        """Tell whether there is one pair of such files."""
        return paired_file(store, "_AUX_UT1UTC_") is not None

    def open(self, store: Store) -> xr.DataTree:
        """Return the bulletin as the root and only node of a tree."""
        stem = paired_file(store, "_AUX_UT1UTC_") or ""
        header = Fields.read(store, f"{stem}.HDR")
        orientation = _dataset(store.read(f"{stem}.DBL"), f"{store.location}: {stem}.DBL")
        start, stop = validity(header)
        days = orientation["time"].values
        if days[0] > start or days[-1] < stop:
            raise ProductError(
                f"{store.location}: {stem}.DBL tells of {_day(days[0])} to {_day(days[-1])}, its "
                f"header of {start.astype('M8[D]')} to {stop.astype('M8[D]')}; it is truncated, get it again"
            )
        return xr.DataTree(orientation.assign_attrs(header_attributes(header)))


EARTH_ORIENTATION = EarthOrientationReader()


def _dataset(data: bytes, name: str) -> xr.Dataset:
    text = data.decode("latin-1")
    if not re.search(r"B\s*U\s*L\s*L\s*E\s*T\s*I\s*N\s*-\s*A", text):
        raise ProductError(f"{name} is no IERS Bulletin A (its title is not there); get it again")
    days: dict[int, tuple[int, tuple[float, float, float]]] = {}
    for line in text.splitlines():
        found = _RAPID.match(line)
        if found:
            kind, values = 1, (float(found[5]), float(found[7]), float(found[9]))
        else:
            found = _PLAIN.match(line)
            if not found:
                continue
            kind, values = (
                (2 if len(found[1]) == 4 else 0),
                (float(found[5]), float(found[6]), float(found[7])),
            )
        day = int(found[4])
        _check_day(found[1], int(found[2]), int(found[3]), day, name)
        if day not in days or kind < days[day][0]:
            days[day] = kind, values
    if len(days) < 2:
        raise ProductError(
            f"{name} has {len(days)} days of Earth orientation, expected a year of predictions; get it again"
        )
    order = sorted(days)
    values_of = np.array([days[day][1] for day in order])
    meaning = {"flag_values": [0, 1, 2], "flag_meanings": list(_KINDS)}
    return xr.Dataset(
        {
            "ut1_utc": ("time", values_of[:, 2], {"units": "s", "long_name": "UT1-UTC"}),
            "pole_x": ("time", values_of[:, 0], {"units": "arcsec", "long_name": "x of the pole"}),
            "pole_y": ("time", values_of[:, 1], {"units": "arcsec", "long_name": "y of the pole"}),
            "kind": ("time", np.array([days[day][0] for day in order], np.uint8), meaning),
        },
        {"time": np.datetime64(_MJD_0, "ns") + np.array(order) * np.timedelta64(1, "D")},
    )


def _day(time: np.datetime64) -> str:
    return str(time.astype("M8[D]"))


def _check_day(year: str, month: int, day: int, mjd: int, name: str) -> None:
    """Refuse a row whose date is not that of its day number."""
    told = date.fromordinal(_MJD_0.toordinal() + mjd)
    if (told.year % 100, told.month, told.day) != (int(year) % 100, month, day):
        raise ProductError(f"{name}: MJD {mjd} is {told}, its row says {year} {month} {day}; get it again")
