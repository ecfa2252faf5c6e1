"""Where systemd runs, it keeps the cluster: it starts it again, and with the machine.

What kills the cluster, or switches the machine off, takes minutes and is in the drill `systemd`.
"""

import json
import os
import sys
from pathlib import Path

import pytest
import yaml
from swath_sde.cluster import kubectl_binary
from swath_sde.debian import install_packages

sys.path.insert(0, str(Path(__file__).parent))  # for the module of these tests

from booted import SYSTEMD, Booted


@pytest.fixture(scope="module")
def booted(tmp_path_factory):
    """A machine whose first process is systemd."""
    if not SYSTEMD.exists():
        install_packages(["systemd"], print)
    made = Booted(tmp_path_factory.mktemp("booted"))
    try:
        made.switch_on()
        yield made
    finally:
        made.remove()


class Kept:
    """A cluster on that machine."""

    def __init__(self, booted, installation, home):
        self._booted, self._home = booted, home
        self.file = booted.folder / "swath.yaml"
        self.file.write_text(yaml.safe_dump(installation.model_dump(mode="json", by_alias=True)))
        self.state = home / "clusters" / installation.name

    def swath(self, *words, check=True):
        """Call ``swath cluster``."""
        script = "from swath_cli._main import main; main()"
        call = [sys.executable, "-c", script, "cluster", *words, "--file", self.file]
        environment = ["env", f"SWATH_HOME={self._home}", f"PATH={os.environ['PATH']}"]
        return self._booted.run(*environment, *call, check=check)

    def status(self):
        """Return what ``swath cluster status`` tells."""
        return json.loads(self.swath("status", "--json", check=False).stdout)

    def kubectl(self, *words):
        """Run kubectl as the administrator."""
        return self._booted.run(kubectl_binary(), f"--kubeconfig={self.state}/kubeconfig", *words).stdout

    @property
    def unit(self):
        """Name of the unit."""
        [found] = (self._booted.folder / "etc").glob("swath-*.service")
        return found.name

    def systemctl(self, *words, check=True):
        """Ask systemd."""
        return self._booted.run("systemctl", *words, check=check).stdout.strip()


@pytest.fixture(scope="module")
def kept(booted, installation, home):
    """A cluster that was brought up there; nothing of it is left afterwards."""
    made = Kept(booted, installation("booted"), home)
    try:
        made.swath("up")
        yield made
    finally:
        made.swath("reset", "--yes")


def test_systemd_keeps_the_cluster(kept, booted):
    about = kept.status()
    assert about["state"] == "ready"
    assert about["supervised_by"] == "systemd"
    assert kept.systemctl("is-active", kept.unit) == "active"
    assert kept.systemctl("is-enabled", kept.unit) == "enabled"
    verified = booted.run("systemd-analyze", "verify", "--man=no", f"/etc/systemd/system/{kept.unit}")
    assert kept.unit not in verified.stderr
    assert "nothing to do" in kept.swath("up").stdout


@pytest.mark.drill
def test_it_starts_the_cluster_again_when_that_was_killed(kept, retry):
    kept.kubectl("create", "configmap", "killed", "--from-literal=from=before")
    first = kept.systemctl("show", "--property=MainPID", "--value", kept.unit)
    kept.systemctl("kill", "--kill-whom=main", "--signal=SIGKILL", kept.unit)
    assert retry(
        lambda: kept.systemctl("show", "--property=MainPID", "--value", kept.unit) not in {"0", first}
    )
    assert retry(lambda: kept.status()["state"] == "ready", within=120, every=2), kept.status()
    assert kept.kubectl("get", "configmap", "killed", "-o", "jsonpath={.data.from}") == "before"


def test_up_mends_a_unit_that_was_disabled(kept):
    kept.systemctl("disable", kept.unit)
    assert "systemd is told to start it with the machine" in kept.swath("up").stdout
    assert kept.systemctl("is-enabled", kept.unit) == "enabled"
    assert "nothing to do" in kept.swath("up").stdout


@pytest.mark.drill
def test_it_starts_with_the_machine_with_its_data(kept, booted, retry):
    kept.kubectl("create", "configmap", "off", "--from-literal=from=before")
    booted.switch_off()
    assert "SIGKILL" not in (booted.folder / "console").read_text().rpartition("Stopping")[2]
    booted.switch_on()
    assert retry(lambda: kept.status()["state"] == "ready", within=180, every=2), kept.status()
    assert kept.kubectl("get", "configmap", "off", "-o", "jsonpath={.data.from}") == "before"
    assert "nothing to do" in kept.swath("up").stdout


def test_down_takes_its_unit_along(kept, booted):
    kept.kubectl("create", "configmap", "down", "--from-literal=from=before")
    unit = kept.unit
    kept.swath("down")
    assert list((booted.folder / "etc").rglob("swath-*")) == []
    assert kept.systemctl("is-active", unit, check=False) == "inactive"
    assert kept.systemctl("is-enabled", unit, check=False) in {"", "not-found"}
    assert kept.status()["state"] == "stopped"
    assert booted.run("ls", "/run/swath", check=False).returncode != 0


@pytest.mark.drill
def test_up_after_that_has_its_unit_and_its_data(kept):
    kept.swath("up")
    assert kept.status()["state"] == "ready"
    assert kept.systemctl("is-enabled", kept.unit) == "enabled"
    assert kept.kubectl("get", "configmap", "down", "-o", "jsonpath={.data.from}") == "before"
