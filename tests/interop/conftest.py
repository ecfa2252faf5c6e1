"""What eopf and Swath convert: products that the core's tests make, with the datastrip that eopf needs."""

import importlib.util
import re
import shutil
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

REPOSITORY = Path(__file__).parents[2]
TESTS = REPOSITORY / "processors/core/tests/product"
sys.path.insert(0, str(REPOSITORY / "benchmarks"))
sys.path.insert(0, str(Path(__file__).parent))  # for the modules that these tests share


def loaded(path: Path) -> ModuleType:
    """Return a module of fixtures, which belongs to no package."""
    spec = importlib.util.spec_from_file_location(f"interop_{path.parent.name}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


core = loaded(TESTS / "conftest.py")
sentinel2 = loaded(TESTS / "sentinel2/conftest.py")
change, sample_zip, sample_safe, modern_safe = (
    core.change,
    core.sample_zip,
    core.sample_safe,
    core.modern_safe,
)
l2a = sentinel2.l2a


@pytest.fixture(scope="session")
def python() -> Path:
    """Return the Python that has eopf."""
    from suite.peer import peer_python

    return peer_python()


@pytest.fixture(scope="session")
def datastrip(sample_zip) -> str:
    """Return the real metadata of a datastrip of level 1C."""
    with zipfile.ZipFile(sample_zip) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/MTD_DS.xml"))
        return archive.read(name).decode()


@pytest.fixture(scope="session")
def s2_l1c(modern_safe, datastrip, tmp_path_factory) -> Path:
    """Return a level-1C product of raster masks, which eopf reads (it has no mapping of masks as GML)."""
    copy = with_datastrip(modern_safe, datastrip, tmp_path_factory)
    change_file(copy / "MTD_MSIL1C.xml", "Sentinel-2D", "Sentinel-2A")  # eopf takes all for 2A
    return copy


@pytest.fixture(scope="session")
def s2_l2a(l2a, datastrip, tmp_path_factory) -> Path:
    """Return a level-2A product; its datastrip is that of the level-1C sample under another name."""
    return with_datastrip(l2a, re.sub("Level-1C", "Level-2A", datastrip), tmp_path_factory)


def change_file(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def with_datastrip(safe: Path, text: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = Path(shutil.copytree(safe, tmp_path_factory.mktemp("interop") / safe.name))
    folder = copy / "DATASTRIP/DS_SGS__20171207T032513_S20171207T002252"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "MTD_DS.xml").write_text(text)
    return copy
