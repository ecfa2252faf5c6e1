"""What the tests of the core share: a small product of plain files, and the plug-in that reads it."""

import sys
from pathlib import Path

import fsspec
import numpy as np
import pytest

PLUGIN = Path(__file__).parent / "plugin"
MADE = Path(__file__).parent / "made"
"""Modules that make what tests read."""
SERVERS = Path(__file__).parent / "servers"
"""Modules that run servers: S3, and a proxy with the ways of a network."""
sys.path[:0] = [str(PLUGIN), str(MADE), str(SERVERS)]  # as if they were installed


@pytest.fixture(scope="session")
def plugin() -> Path:
    """Return the folder to put on the PYTHONPATH of subprocesses."""
    return PLUGIN


@pytest.fixture(scope="session")
def practice_product(tmp_path_factory) -> Path:
    """Return a product with grids of 172, 86 and 29 pixels, as the decimated sample has."""
    import swath_practice

    generator = np.random.default_rng(20171207)
    red, nir, haze = (generator.random((n, n), dtype=np.float32) + np.float32(0.1) for n in (172, 86, 29))
    red[50:61, 20:30] = np.nan
    groups = {
        "/measurements/r10m": (640.0, 48, {"red": red}),
        "/measurements/r20m": (1280.0, 30, {"nir": nir}),
        "/measurements/r60m": (3840.0, 10, {"haze": haze / 10}),
    }
    return swath_practice.write(tmp_path_factory.mktemp("practice") / "product", groups)


@pytest.fixture(scope="session")
def practice_zarr(practice_product, tmp_path_factory) -> Path:
    """Return that product as Zarr."""
    import swath
    import swath_practice

    path = tmp_path_factory.mktemp("practice") / "practice.zarr"
    swath.write_product(swath_practice.read(practice_product), path)
    return path


@pytest.fixture(scope="session")
def _gateway(tmp_path_factory):
    import gateway

    with gateway.gateway(tmp_path_factory.mktemp("s3")) as started:
        yield started


@pytest.fixture(scope="session")
def _proxies(_gateway, tmp_path_factory):
    import proxy

    address, _ = _gateway
    folder = tmp_path_factory.mktemp("web")
    made = proxy.Proxy(upstream=address), proxy.Proxy(folder=folder)
    yield made
    for each in made:
        each.close()


@pytest.fixture
def patient(monkeypatch):
    """Let stores be asked for three times, with short pauses between."""
    from swath.io.remote import Patience

    monkeypatch.setenv("SWATH_REMOTE_ATTEMPTS", "3")
    monkeypatch.setenv("SWATH_REMOTE_TIMEOUT", "2")
    monkeypatch.setattr(Patience.__init__, "__defaults__", (5, 30.0, 0.01, 0.5))
    system = fsspec.get_filesystem_class("s3")
    system.clear_instance_cache()  # it remembers credentials and endpoint
    yield
    system.clear_instance_cache()


@pytest.fixture
def s3(_gateway, _proxies, patient, monkeypatch):
    """Return a proxy before a real S3 server, whose bucket is the folder ``bucket``."""
    import gateway

    found = _proxies[0]
    found.reset()
    found.bucket = _gateway[1] / "bucket"
    found.bucket.mkdir(exist_ok=True)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", gateway.ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", gateway.SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", found.address)
    return found


@pytest.fixture
def web(_proxies, patient):
    """Return a server of the files in ``folder``."""
    found = _proxies[1]
    found.reset()
    return found
