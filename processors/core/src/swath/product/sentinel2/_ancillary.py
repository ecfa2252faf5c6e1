"""Satellite ancillary data of a datastrip (orbit, attitude, temperatures) as columns.

Names of groups and variables are those of the models S02MSIL1A and S02MSIL1B of eopf 2.8.1, which have them
decoded from packets; level-0 metadata has one list of corrected attitudes where packets have five estimates.
Source: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), Satellite_Ancillary_Data_Info.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.product._table import Table

if TYPE_CHECKING:
    from swath.product._fields import Fields

__all__ = ["Column", "ancillary_datasets", "columns"]

Kind = Literal["real", "whole", "text", "flag", "time"]


@dataclass(frozen=True, slots=True)
class Column:
    """A child of each element of a list, and the variables that it becomes."""

    path: str
    """Path of the child below the element."""
    kind: Kind
    names: tuple[str, ...] = ()
    """Names of the variables, one for each number of the child's text; by default the child's own in lower
    case."""
    units: str = ""

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the variables."""
        return self.names or (self.path.rpartition("/")[2].lower(),)


def _axes(name: str) -> tuple[str, ...]:
    return tuple(f"{name}_{axis}" for axis in "xyz")


_GPS = Column("GPS_TIME", "time")

_CORRELATION = (
    Column("NSM", "text"), Column("QUALITY_INDEX", "real", units="ns"), Column("TDOP", "real"),
    Column("IMT", "whole"), _GPS, Column("UTC_TIME", "time"),
)  # fmt: skip

_GPS_POINTS = (
    Column("POSITION_VALUES", "real", _axes("position"), "mm"),
    Column("POSITION_ERRORS", "real", _axes("position_errors"), "mm"),
    Column("VELOCITY_VALUES", "real", _axes("velocity"), "mm/s"),
    Column("VELOCITY_ERRORS", "real", _axes("velocity_errors"), "mm/s"),
    _GPS, Column("NSM", "text"), Column("QUALITY_INDEX", "real"), Column("GDOP", "real"), Column("PDOP",
    "real"), Column("TDOP", "real"), Column("NOF_SV", "whole"), Column("TIME_ERROR", "real", units="ns"),
)  # fmt: skip

_AOCS_EPHEMERIS = (
    Column("VALID_FLAG", "flag"), Column("OPSOL_QUALITY", "whole"),
    Column("POSITION_VALUES", "real", _axes("position"), "m"),
    Column("VELOCITY_VALUES", "real", _axes("velocity"), "m/s"),
    _GPS, Column("ORBIT_ANGLE", "real", units="rad"),
)  # fmt: skip

_CORRECTED = (
    Column("QUATERNION_VALUES", "real", (*(f"quaternion_{axis}" for axis in "xyz"), "quaternion_s")),
    Column("QUATERNION_VALIDITY", "flag"), _GPS,
    Column("INUSE_FLAGS", "flag", tuple(f"inuse_flag_{k}" for k in range(1, 12))),
    Column("AOCS_MODE", "whole"), Column("AOCS_SUBMODE", "whole"),
    Column("INNOVATION_STR1", "real", _axes("innovation_str1")),
    Column("INNOVATION_STR2", "real", _axes("innovation_str2")),
    Column("ATTITUDE_QUALITY_INDICATOR", "text"),
)  # fmt: skip

_STAR_TRACKER = (
    Column("QUATERNION_VALUES", "real", (*(f"quaternion_{axis}" for axis in "xyz"), "quaternion_s")),
    Column("ANGULAR_RATE", "real", _axes("angular_rate"), "deg/s"), _GPS, Column("JULIAN_DATE", "real"),
    Column("ATTITUDE_QUALITY", "text"), Column("RATE_QUALITY", "text"), Column("VALIDITY_RATE", "whole"),
)  # fmt: skip

_STAR_TRACKER_HEALTH = (
    Column("OP_MODE", "text", ("opt_mode",)), Column("TEC_MODE", "text"),
    *(Column(name, "real", units="degC") for name in ("TARGET", "DETECTOR", "OPTICS", "HOUSING")),
    Column("SYNC_SOURCE", "text"), Column("SECONDS_SINCE_TIME_SYNC", "real", units="s"),
    *(Column(f"{name}_STARS", "whole") for name in ("TRACKABLE", "TRACKED", "IDENTIFIED", "USED")),
    Column("ATT_RESULT", "text"), Column("ID_RESULT", "text"),
)  # fmt: skip

_GYROSCOPE = (
    Column("FILTERED_ANGLE", "real"), Column("RAW_ANGLE", "real"), _GPS, Column("TIME", "time"),
    Column("ACQUISITION", "whole"), Column("VALIDITY", "flag"),
)  # fmt: skip

_GYROSCOPE_TEMPERATURES = (
    Column("Temperatures/ORGANISER", "real", units="mV"), Column("Temperatures/SIA", "real", ("s",), "mV"),
    Column("Temperatures/OPTICAL_SOURCE", "real", units="mV"),
    Column("Temperatures/BOARD", "real", units="mV"),
    Column("Temperatures/VOLTAGE_OFFSET", "real", units="mV"),
    Column("Temperatures/VOLTAGE", "real", units="mV"),
    Column("Temperatures/ACQUISITION", "whole"), Column("Temperatures/VALIDITY", "flag"),
    Column("Temperatures/TIME", "time"),
)  # fmt: skip

_LISTS: dict[str, tuple[str, tuple[Column, ...]]] = {
    "time_correlation_data": ("Time_Correlation_Data_List/Time_Correlation_Data", _CORRELATION),
    "ephemeris/gps_points": ("Ephemeris/GPS_Points_List/GPS_Point", _GPS_POINTS),
    "ephemeris/aocs_ephemeris": ("Ephemeris/AOCS_Ephemeris_List/AOCS_Ephemeris", _AOCS_EPHEMERIS),
    "attitudes/corrected_attitudes": ("Attitudes/Corrected_Attitudes/Values", _CORRECTED),
}
"""Group → path of the elements, and their columns."""

_UNITS: dict[str, tuple[str, str, dict[str, tuple[str, tuple[Column, ...]]]]] = {
    "STR": ("Attitudes/Raw_Attitudes/STR_List/STR", "strId", {
        "attitudes/raw_attitudes/attitude_data/{}": ("Attitude_Data_List/Attitude_Data", _STAR_TRACKER),
        "attitudes/raw_attitudes/status_and_health_data/{}": (
            "Status_And_Health_Data_List/Status_And_Health_Data", _STAR_TRACKER_HEALTH),
    }),
    "IMU": ("Attitudes/Raw_Attitudes/IMU_List/IMU", "imuId", {
        "attitudes/raw_attitudes/{}": ("Value", _GYROSCOPE),
        "attitudes/raw_attitudes/{}/temperatures": ("Value", _GYROSCOPE_TEMPERATURES),
    }),
}  # fmt: skip
"""Units that there are several of → path, the attribute that tells which, and the lists of each."""

_THERMAL = {
    "FPA_List/FPA": "fpa_{fpaId}", "FPA_List/FEE": "fee_{feeId}", "Mirror_List/Mirror": "mirror_{mirrorId}",
    "ThSensor_List/ThSensor": "sensor_temperature_{number}",
    "Splitter_List/Splitter": "splitter_{splitterId:.3}",
    "CSM_Diffuser_List/CSM_Diffuser": "csm_diffuser_{diffuserId}",
    "STR_Sensorplate_List/STR_Sensorplate": "str_sensorplate_{sensorplateId}",
}  # fmt: skip
"""Path of sensors that have lists of values → name of the variable."""

_THERMAL_LISTS = {
    "IMU_Sensorplate_List/IMU_Sensorplate": "imu_sensorplate",
    "STR_Baseplate_List/STR_Baseplate": "str_baseplate",
    "STR_Backplate_List/STR_Backplate": "str_backplate",
}
"""Path of the values of sensors that there is one of → name of the variable."""

_DIMENSION = "packet_number"


def ancillary_datasets(root: Fields) -> dict[str, xr.Dataset]:
    """Return the groups below ``conditions/ancillary_data``, those that there are.

    Each has one dimension, ``packet_number``. Times ``gps_time`` are in GPS time, as they are stored.
    """
    info = root.find("Satellite_Ancillary_Data_Info")
    if info is None:
        return {}
    found = {name: columns(Table.of(info, path), wanted) for name, (path, wanted) in _LISTS.items()}
    for path, key, lists in _UNITS.values():
        for unit in info.element.findall(path):
            owner = type(info)(unit, info.file)
            for name, (below, wanted) in lists.items():
                found[name.format(str(unit.get(key, "")).lower())] = columns(Table.of(owner, below), wanted)
    found |= _thermal(info)
    return {name: dataset for name, dataset in found.items() if dataset.sizes}


def columns(table: Table, wanted: tuple[Column, ...]) -> xr.Dataset:
    """Return the columns of a list; those that the list's first element does not have are left out."""
    variables: dict[str, Any] = {}
    for column in wanted:
        if not table.has(column.path):
            continue
        units = {"units": column.units} if column.units else {}
        for name, values in zip(column.variables, _values(table, column), strict=True):
            variables[name] = (_DIMENSION, values, units)
    return xr.Dataset(variables)


def _values(table: Table, column: Column) -> list[npt.NDArray[Any]]:
    if column.kind == "time":
        return [table.moments(column.path)]
    if column.kind == "text":
        return [np.array(table.texts(column.path))]
    if len(column.variables) == 1:
        if column.kind == "flag":
            return [table.flags(column.path)]
        return [table.numbers(column.path, np.int64 if column.kind == "whole" else np.float64)]
    return table.split(column.path, len(column.variables), flags=column.kind == "flag")


def _thermal(info: Fields) -> dict[str, xr.Dataset]:
    """Return temperatures; sensors read at other times than the first one get groups of their own."""
    thermal = info.find("Thermal_Data")
    if thermal is None:
        return {}
    tables: dict[str, Table] = {}
    for path, name in _THERMAL.items():
        for number, sensor in enumerate(thermal.element.findall(path), 1):
            told = {key: str(value).lower() for key, value in sensor.attrib.items()}
            tables[name.format(number=number, **told)] = Table.of(type(info)(sensor, info.file), "Value")
    for path, name in _THERMAL_LISTS.items():
        tables[name] = Table.of(thermal, path)
    shared: xr.Dataset | None = None
    found = {}
    for name, table in tables.items():
        if not len(table):
            continue
        unit = table.rows[0].find("T")
        units = "" if unit is None else str(unit.get("unit", "")).replace("°C", "degC")
        one = columns(table, (Column("T", "real", (name,), units), _GPS))
        if shared is None:
            shared = one
        elif one["gps_time"].equals(shared["gps_time"]):
            shared[name] = one[name]
        else:
            found[f"thermal_data/{name}"] = one
    return found | ({} if shared is None else {"thermal_data": shared})
