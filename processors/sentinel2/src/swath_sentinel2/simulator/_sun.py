"""Where the sun stands.

The formulas are those of NOAA's solar calculator, which follow J. Meeus, *Astronomical Algorithms* (1991),
chapters 24 and 27: low-precision solar coordinates, within 0.01 degree. Refraction is left out, as in
Sentinel-2's own angles. Eccentricity, mean anomaly and equation of the centre also give the distance to the
sun.
"""

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

Angles = NDArray[np.float64]

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def sun_angles(time: datetime, after: Angles, longitude: Angles, latitude: Angles) -> tuple[Angles, Angles]:
    """Zenith and azimuth of the sun.

    Parameters
    ----------
    time
        A time, with its zone.
    after
        Seconds after that time, for each point.
    longitude, latitude
        Degrees east and north.

    Returns
    -------
    zenith, azimuth : ndarray
        Degrees; azimuth clockwise from north, 0 to 360.
    """
    days = (time - _J2000).total_seconds() / 86400 + np.asarray(after) / 86400
    century = days / 36525
    mean_longitude, anomaly, centre, _ = _orbit(century)
    node = np.radians(125.04 - 1934.136 * century)
    apparent = np.radians(mean_longitude + centre - 0.00569 - 0.00478 * np.sin(node))
    seconds = 21.448 - century * (46.8150 + century * (0.00059 - century * 0.001813))
    obliquity = np.radians(23 + (26 + seconds / 60) / 60 + 0.00256 * np.cos(node))
    declination = np.arcsin(np.sin(obliquity) * np.sin(apparent))

    half = np.tan(obliquity / 2) ** 2
    longitude_angle, eccentricity = np.radians(mean_longitude), _eccentricity(century)
    equation_of_time = 4 * np.degrees(
        half * np.sin(2 * longitude_angle)
        - 2 * eccentricity * np.sin(anomaly)
        + 4 * eccentricity * half * np.sin(anomaly) * np.cos(2 * longitude_angle)
        - half**2 / 2 * np.sin(4 * longitude_angle)
        - 1.25 * eccentricity**2 * np.sin(2 * anomaly)
    )
    minutes = (days + 0.5) % 1 * 1440 + equation_of_time + 4 * longitude
    hour_angle = np.radians(minutes / 4 - 180)

    north = np.radians(latitude)
    up = np.sin(north) * np.sin(declination) + np.cos(north) * np.cos(declination) * np.cos(hour_angle)
    to_east = -np.cos(declination) * np.sin(hour_angle)
    to_north = np.cos(north) * np.sin(declination) - np.sin(north) * np.cos(declination) * np.cos(hour_angle)
    return np.degrees(np.arccos(up)), np.degrees(np.arctan2(to_east, to_north)) % 360


def sun_correction(time: datetime) -> float:
    """Square of the ratio of the mean to the present distance to the sun (``U`` in the metadata)."""
    days = (time - _J2000).total_seconds() / 86400
    return float(1 / _orbit(np.array(days / 36525))[3] ** 2)


def _eccentricity(century: Angles) -> Angles:
    return 0.016708634 - century * (0.000042037 + 0.0000001267 * century)


def _orbit(century: Angles) -> tuple[Angles, Angles, Angles, Angles]:
    """Mean longitude (degrees), mean anomaly (radians), equation of the centre (degrees), distance (au)."""
    mean_longitude = (280.46646 + century * (36000.76983 + century * 0.0003032)) % 360
    anomaly = np.radians(357.52911 + century * (35999.05029 - 0.0001537 * century))
    centre = (
        np.sin(anomaly) * (1.914602 - century * (0.004817 + 0.000014 * century))
        + np.sin(2 * anomaly) * (0.019993 - 0.000101 * century)
        + np.sin(3 * anomaly) * 0.000289
    )
    eccentricity = _eccentricity(century)
    distance = 1.000001018 * (1 - eccentricity**2) / (1 + eccentricity * np.cos(anomaly + np.radians(centre)))
    return mean_longitude, anomaly, centre, distance
