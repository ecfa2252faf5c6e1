"""Write what xarray-sentinel reads of the SLC sample: run by hand where it is installed.

python -m pip install xarray-sentinel==0.9.6
python processors/core/tests/made/make_level1_references.py SAMPLES > references.json
"""

import json
import sys
from pathlib import Path

import numpy as np
import xarray_sentinel


def main() -> None:
    safe = next((Path(sys.argv[1]) / "s1/safe").glob("S1B_IW_SLC*.SAFE"))

    def group(name: str):
        return xarray_sentinel.open_sentinel1_dataset(str(safe), group=f"IW1/VH/{name}")

    burst, points, tables = group("3"), group("gcp"), group("calibration")
    cut = burst.measurement[700:1400:233, 9000:12000:977]
    found = {
        "reader": f"xarray-sentinel {xarray_sentinel.__version__}",
        "azimuth_time": [str(t) for t in burst.azimuth_time.values[[0, 1, -1]]],
        "slant_range_time": burst.slant_range_time.values[[0, 1, -1]].tolist(),
        "latitude": points.latitude.values[[0, -1]].tolist(),
        "longitude": points.longitude.values[[0, -1]].tolist(),
        "position": group("orbit").position.transpose("azimuth_time", "axis").values[[0, -1]].tolist(),
        "noise_range": group("noise_range").noiseRangeLut.values[[0, -1], ::60].astype(float).tolist(),
        "fm_rate": group("azimuth_fm_rate").azimuth_fm_rate_polynomial.values.tolist(),
    }
    for quantity, name in (
        ("sigmaNought", "sigma_nought"),
        ("betaNought", "beta_nought"),
        ("gamma", "gamma"),
    ):
        intensity = xarray_sentinel.calibrate_intensity(cut, tables[quantity])
        found[name] = np.asarray(intensity.values, float).tolist()
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
