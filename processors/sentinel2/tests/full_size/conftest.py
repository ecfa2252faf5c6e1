"""A whole tile, simulated once: 13 bands, 10980 x 10980 pixels at 10 m, codec tiles as real products have."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from swath_sentinel2 import simulator

SCRIPT = """
import json, pathlib, re, sys
from swath_sentinel2.simulator import FULL_SIZE, simulate
product = simulate(sys.argv[1], size=FULL_SIZE)
# What getrusage tells begins with the peak of the process that has started this one.
told = pathlib.Path("/proc/self/status").read_text()
print(json.dumps([str(product), int(re.search(r"VmHWM:\\s+(\\d+) kB", told)[1]) * 1024]))
"""


@pytest.fixture(scope="session")
def scene():
    return simulator.Scene(size=simulator.FULL_SIZE)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """Return the path of the scene, made in a minute or two, and its maker's peak memory in bytes."""
    command = [sys.executable, "-c", SCRIPT, tmp_path_factory.mktemp("full-size")]
    path, peak = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return Path(path), peak


@pytest.fixture(scope="session")
def full_size(simulated):
    """Return the path of the scene."""
    return simulated[0]
