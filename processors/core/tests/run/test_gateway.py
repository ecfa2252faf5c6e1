"""A run on a cluster that a real Dask Gateway starts, over TLS; and what is told where there is none."""

import datetime as dt
import ipaddress
import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest
import swath_practice
import xarray as xr
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from swath.processing import apply
from swath_practice import PRACTICE

BIN = Path(sys.executable).parent
WINDOW = "rows 20:120, columns 0:100"

CONFIGURATION = """
import os
c.DaskGateway.address = "127.0.0.1:{api}"
c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.SimpleAuthenticator"
c.SimpleAuthenticator.password = "practice"
c.Proxy.address = "127.0.0.1:{public}"
c.Proxy.tls_cert = "{folder}/cert.pem"
c.Proxy.tls_key = "{folder}/key.pem"
c.UnsafeLocalBackend.cluster_start_timeout = c.UnsafeLocalBackend.worker_start_timeout = 240
c.UnsafeLocalBackend.clusters_directory = "{folder}/clusters"
c.ClusterConfig.scheduler_cmd = ["{bin}/dask", "scheduler"]
c.ClusterConfig.worker_cmd = ["{bin}/dask", "worker"]
c.ClusterConfig.environment = {{
    "PYTHONPATH": "{plugin}", "PATH": os.environ["PATH"], "SSL_CERT_FILE": "{folder}/cert.pem"
}}
"""


def certify(folder):
    """Write a certificate for this machine, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "practice gateway")])
    now = dt.datetime.now(dt.UTC)
    place = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=12))
        .add_extension(place, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, plugin, free_port):
    """Yield the address of a Dask Gateway, and the environment to use it with."""
    folder = tmp_path_factory.mktemp("gateway")
    (folder / "clusters").mkdir()
    certify(folder)
    api, public = free_port(), free_port()
    file = folder / "configuration.py"
    file.write_text(CONFIGURATION.format(api=api, public=public, folder=folder, bin=BIN, plugin=plugin))
    log = folder / "log"
    with log.open("w") as told:
        server = subprocess.Popen(
            [BIN / "dask-gateway-server", "--config", file],
            stdout=told, stderr=subprocess.STDOUT, cwd=folder,
            env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
        )  # fmt: skip
        try:
            until = time.monotonic() + 90
            while True:
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{api}/api/health", timeout=2)
                except OSError:
                    assert server.poll() is None, log.read_text()
                    assert time.monotonic() < until, log.read_text()
                    time.sleep(0.3)
                else:
                    break
            environment = {
                **os.environ,
                "PYTHONPATH": str(plugin),
                "SSL_CERT_FILE": str(folder / "cert.pem"),
                "DASK_GATEWAY__AUTH__TYPE": "basic",
                "DASK_GATEWAY__AUTH__KWARGS": json.dumps({"username": "tester", "password": "practice"}),
            }
            yield f"https://127.0.0.1:{public}", environment
        finally:
            server.terminate()
            server.wait(timeout=30)


def run(product, destination, engine, environment):
    return subprocess.run(
        [BIN / "swath", "run", "practice", product, destination, "--engine", engine, "--workers", "1",
         "--window", WINDOW, "--no-cogs"],
        env=environment, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_a_run_on_a_gateways_cluster_makes_the_same(gateway, practice_product, destination):
    address, environment = gateway
    done = run(practice_product, destination, f"gateway+{address}", environment)
    assert done.returncode == 0, done.stderr
    assert "21 chunks (as planned)" in done.stdout
    assert f"WARNING: waiting for a cluster from the Dask Gateway at {address}, as long as" in done.stderr
    assert (
        f"WARNING: waiting for the first worker from the Dask Gateway at {address}, 300 s at" in done.stderr
    )
    expected = apply(PRACTICE, swath_practice.read(practice_product), window=WINDOW)
    with xr.open_datatree(destination / "product.zarr", engine="zarr", chunks=None) as tree:
        for path in ("/measurements/index", "/measurements/smooth", "/quality/steep"):
            np.testing.assert_array_equal(tree[path].values, expected[path].values)
    workers = {chunk["worker"] for chunk in json.loads((destination / "report.json").read_text())["chunks"]}
    assert len(workers) == 1


def test_who_may_not_is_told(gateway, practice_product, destination):
    address, environment = gateway
    wrong = json.dumps({"username": "tester", "password": "guess"})
    done = run(
        practice_product,
        destination,
        "gateway",
        {**environment, "DASK_GATEWAY__ADDRESS": address, "DASK_GATEWAY__AUTH__KWARGS": wrong},
    )
    assert done.returncode == 2, done.stderr
    assert f"error: No Dask Gateway gives a cluster at {address}" in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(destination.parent.iterdir())


@pytest.mark.parametrize(
    ("engine", "told"),
    [
        ("gateway", "does not know where"),
        ("gateway+http://127.0.0.1:1", "No Dask Gateway gives a cluster at http://127.0.0.1:1"),
    ],
)
def test_a_gateway_that_is_not_there_is_told(practice_product, destination, plugin, engine, told):
    done = run(practice_product, destination, engine, {**os.environ, "PYTHONPATH": str(plugin)})
    assert done.returncode == 2, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(destination.parent.iterdir())
