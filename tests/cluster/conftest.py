"""A cluster of the tests' own: its state and ports are nobody else's; only built programs are shared."""

import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from swath_sde.cluster import EmbeddedCluster, NodeError
from swath_sde.cluster._archive import write_image
from swath_sde.cluster._ports import free_port, own_port
from swath_sde.cluster._settings import Settings
from swath_sde.configuration import Installation
from swath_sde.places import cache_folder

PROBE = "test.invalid/probe:1"
"""Image of what test pods run (``probe/main.go``)."""


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xdist_group("cluster"))  # one after another: they share the cluster


@pytest.fixture(scope="session", autouse=True)
def _root():
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("the tests of the embedded cluster need root")
        pytest.skip("the tests of the embedded cluster need root")


def retried(check, *, within=60.0, every=0.3):
    """Return what ``check`` returns as soon as that is true; after ``within`` seconds, whatever it is."""
    until = time.monotonic() + within
    while True:
        try:
            found, error = check(), None
        except Exception as raised:  # noqa: BLE001 -- the last one is raised
            found, error = None, raised
        if found or time.monotonic() > until:
            if error:
                raise error
            return found
        time.sleep(every)


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A SWATH_HOME with the machine's cache in it."""
    shared = cache_folder()
    shared.mkdir(parents=True, exist_ok=True)
    folder = tmp_path_factory.mktemp("home")
    (folder / "cache").symlink_to(shared)
    before = os.environ.get("SWATH_HOME")
    os.environ["SWATH_HOME"] = str(folder)
    yield folder
    if before is None:
        del os.environ["SWATH_HOME"]
    else:
        os.environ["SWATH_HOME"] = before


@pytest.fixture(scope="session")
def installation(home):
    """Describe an installation on a free port."""

    def describe(name, **changes):
        settings = {
            "version": 1,
            "name": name,
            "domain": f"{name}.localhost",
            "where": {"kind": "embedded", "https_port": own_port(f"{home} {name}") + 7000},
        }
        return Installation.model_validate(settings | changes)

    return describe


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    """The archive of the image that test pods run."""
    folder = tmp_path_factory.mktemp("probe")
    source = Path(__file__).parent / "probe" / "main.go"
    subprocess.run(
        [shutil.which("go") or "/usr/local/go/bin/go", "build", "-trimpath", "-o", folder / "probe", source],
        check=True,
        env=os.environ | {"CGO_ENABLED": "0"},
    )
    write_image(
        folder / "probe.tar", reference=PROBE, files={"/bin/probe": folder / "probe"}, command=["/bin/probe"]
    )
    return folder / "probe.tar"


@pytest.fixture(scope="session")
def cluster(installation, probe):
    """A cluster that runs, with the probe's image."""
    made = EmbeddedCluster(installation("testing"))
    try:
        made.up(print)
        assert made.import_images(probe) == [PROBE]
        yield made
    finally:
        made.reset(print)


@pytest.fixture
def node(cluster):
    """The node's settings and processes."""
    from swath_sde.cluster._node import Node

    return Node(Settings.read(cluster.state / "cluster.json"))


@pytest.fixture
def namespace(cluster, request):
    """A namespace of the test's own."""
    name = f"t-{abs(hash(request.node.nodeid)) % 10**8}"
    cluster.kubectl("create", "namespace", name)
    retried(lambda: cluster.kubectl("-n", name, "get", "serviceaccount", "default"))
    yield name
    with suppress(NodeError):  # the test's own failure is what is to be told
        cluster.kubectl("delete", "namespace", name, "--wait=false")


def pod(name, *words, claim=None, memory=None, labels=None):
    """Return a pod that meets the restricted standard and runs the probe."""
    container = {
        "name": "probe",
        "image": PROBE,
        "command": ["/bin/probe", *words],
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [{"name": "data", "mountPath": "/data"}],
    }
    if memory:
        container["resources"] = {"limits": {"memory": memory}}
    source = {"persistentVolumeClaim": {"claimName": claim}} if claim else {"emptyDir": {}}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels or {"app": name}},
        "spec": {
            "restartPolicy": "Always" if words[0] == "serve" else "Never",
            "terminationGracePeriodSeconds": 5,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 1000,
                "fsGroup": 1000,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
            "volumes": [{"name": "data", **source}],
        },
    }


def service(name, port, *, target=8080, node_port=None):
    """Return a Service in front of pods with the label ``app: name``."""
    ports = {"port": port, "targetPort": target} | ({"nodePort": node_port} if node_port else {})
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {
            "selector": {"app": name},
            "type": "NodePort" if node_port else "ClusterIP",
            "ports": [ports],
        },
    }


def claim(name):
    """Return a claim of a volume of the default class."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "64Mi"}}},
    }


@pytest.fixture
def apply(cluster, namespace):
    """Apply objects to the test's namespace."""

    def put(*objects):
        listed = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        return cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=listed)

    return put


@pytest.fixture
def kubectl(cluster, namespace):
    """Run kubectl in the test's namespace."""

    def run(*words, **options):
        return cluster.kubectl("-n", namespace, *words, **options)

    return run


@pytest.fixture
def running(kubectl):
    """Wait until pods run."""

    def wait(*names):
        for name in names:
            retried(
                lambda name=name: kubectl("wait", f"pod/{name}", "--for=condition=Ready", "--timeout=60s")
            )

    return wait


@contextmanager
def forwarded(cluster, namespace, target, port):
    """Forward a free port of this machine to a pod or Service; yield the port."""
    from swath_sde.cluster import kubectl_binary

    local = free_port(30000)
    command = [kubectl_binary(), f"--kubeconfig={cluster.kubeconfig}", "-n", namespace]
    process = subprocess.Popen(
        [*command, "port-forward", target, f"{local}:{port}"], stdout=subprocess.DEVNULL
    )
    try:
        yield local
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def retry():
    """Ask again until the answer is true."""
    return retried


@pytest.fixture(scope="session")
def manifest():
    """Make objects: ``pod``, ``service``, ``claim``."""
    return SimpleNamespace(pod=pod, service=service, claim=claim)


@pytest.fixture
def forward(cluster, namespace):
    """Forward a free port of this machine to a pod or Service."""
    return lambda target, port: forwarded(cluster, namespace, target, port)


class Machine:
    """What a cluster could leave on this machine."""

    def __init__(self, state: Path, identity: str) -> None:
        self.state, self.identity = state, identity

    def traces(self):
        """Return everything of the cluster that is on this machine, but for its state folder."""
        return {kind: found for kind, found in self._all() if found}

    def left(self):
        """Return what is still there after the moment that the system takes to reap orphans."""
        retried(lambda: not self.traces(), within=10)
        return self.traces()

    def _all(self):
        marks = (str(self.state), self.identity)
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        yield "mounts", [line for line in mounts if any(mark in line for mark in marks)]
        sockets = Path("/proc/net/unix").read_text().splitlines()
        yield "sockets", [line for line in sockets if any(mark in line for mark in marks)]
        yield "cgroups", [str(path) for path in Path("/sys/fs/cgroup").glob(f"**/swath/{self.identity}")]
        yield "run", [str(path) for path in Path("/run/swath").glob(self.identity)]
        yield "processes", list(self._processes(marks))
        links = subprocess.run(["ip", "-brief", "link"], check=True, capture_output=True, text=True).stdout
        yield "devices", [line for line in links.splitlines() if line.startswith(("cni", "tap", "veth"))]
        rules = subprocess.run(["iptables-save"], check=True, capture_output=True, text=True).stdout
        yield (
            "rules",
            [line for line in rules.splitlines() if any(x in line for x in ("KUBE-", "SWATH-", "CNI-"))],
        )

    @staticmethod
    def _processes(marks):
        for process in Path("/proc").glob("[0-9]*"):
            if process.name == str(os.getpid()):
                continue
            with suppress(OSError):
                told = (process / "cmdline").read_text() + (process / "cgroup").read_text()
                if any(mark in told for mark in marks):
                    yield told.replace("\0", " ")[:200]


@pytest.fixture
def machine():
    """Look at this machine for what a cluster has left."""
    return Machine
