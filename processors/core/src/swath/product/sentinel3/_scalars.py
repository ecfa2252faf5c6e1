"""Single numbers of SLSTR's files under the names that the models of eopf have for them.

The files have them as variables without dimensions, and so has a product of Swath; in products of eopf they
are attributes of the root. Source: the models S03SLSRBT and S03SLSLST of eopf 2.8.1.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

__all__ = ["scalars"]

_RULES = (
    (r"/time/(nadir|oblique)_first_pixel_(\w)", r"\2_\1_first_acquired_pixel"),
    (r"/time_\w\w/(nadir|oblique)_first_pixel_(\w)", r"\2_\1_first_pixel_acquisition"),
    (r"/time\w*/pixsync_(\w)", r"pixel_time_sampling_interval_along_scan_\1_in_microseconds"),
    (r"/time/scansync", r"in_scan_period_in_microseconds"),
    (r"/time_(\w\w)/scansync", r"\1_scan_period_in_microseconds"),
    (r"/processing/l0_scan_offset", r"L0_offset_between_scan_index_and_ISP_scan_count_in"),
    (r"/processing/(\w)([no])\w+/l0_scan_offset", r"L0_offset_between_scan_index_and_ISP_scan_count_\1\2"),
    (r"/\w\d/(\w\d)_fee_gain_(\w\w)", r"voltage_gain_applied_to_detector_signal_\1_\2"),
    (r"/\w\d/(\w\d)_du_t_start_(\w\w)", r"integration_start_delay_in_microseconds_\1_\2"),
    (r"/\w\d/(\w\d)_du_int_time_(\w\w)", r"adjustable_integration_time_in_microseconds_\1_\2"),
    (r"/viscal/monitor_sd", r"monitor_diode_noise_counts"),
    (r"/viscal/monitor_mean", r"monitor_diode_average_counts"),
    (r"/meteorology/t_single", r"single_meteofield_synoptic_time_UTC_hours"),
)
"""End of a variable's path below ``conditions`` → name of the attribute."""


def scalars(datasets: Mapping[str, xr.Dataset]) -> tuple[dict[str, xr.Dataset], dict[str, Any]]:
    """Take the numbers that the models have as attributes out of prepared datasets, and return both.

    Parameters
    ----------
    datasets
        Path of a group → its dataset.

    Returns
    -------
    tuple
        The datasets without those variables, and name of an attribute → its value.
    """
    left, found = {}, {}
    for path, dataset in datasets.items():
        taken = []
        for name, array in dataset.variables.items():
            target = _name(f"{path}/{name}") if array.size == 1 and array.ndim < 2 else ""
            if target:
                value = np.asarray(array.values).ravel()[0]
                found[target] = value.item() if hasattr(value, "item") else value
                taken.append(name)
        left[path] = dataset.drop_vars(taken)
    return left, found


def _name(path: str) -> str:
    for pattern, name in _RULES:
        if match := re.search(rf"{pattern}$", path):
            return match.expand(name)
    return ""
