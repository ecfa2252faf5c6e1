"""The identity of a job: everything that the content of its product depends on, as one hash."""

import hashlib
import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from dask.base import tokenize

from swath.processing import Binding, Plan

__all__ = ["job_hash"]

_CODE = (".py", ".so", ".pyd")
_PACKAGES = ("swath", "numpy", "xarray", "dask", "zarr", "numcodecs")


def job_hash(binding: Binding, plan: Plan, product: xr.DataTree | None, location: str) -> str:
    """Return the hash of a job; two runs of the same hash make the same chunks.

    It depends on the processor with the code of its package, its parameters, the window, the chunks, the
    versions of the packages that compute, and the product: its place, its chunks and, on this machine, the
    sizes and times of its files.

    Parameters
    ----------
    binding, plan
        Of the job.
    product
        Where it was given as a tree and not as a place.
    location
        Of the product.
    """
    told = {
        "plan": plan.to_dict(),
        "processor": _code(binding),
        "product": tokenize(product) if product is not None else _files(location),
        "arrays": [str(source.array.name) for source in binding.sources],
        "versions": [f"{name} {version(name)}" for name in _PACKAGES] + [sys.version],
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True, default=_plain).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else str(value)


def _code(binding: Binding) -> list[str]:
    """Return a digest of the package of each function of the processor, and of our own."""
    functions = [binding.processor.chain, *(step.function for step in binding.chain.steps)]
    modules = {str(getattr(function, "__module__", "")).partition(".")[0] for function in functions}
    digests = []
    for name in sorted({"swath"} | (modules - set(_PACKAGES))):
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is None:  # of a notebook or a script: by what the functions themselves are
            digests.append(tokenize(functions))
            continue
        place = Path(file)
        files = sorted(place.parent.rglob("*")) if place.name == "__init__.py" else [place]
        whole = hashlib.sha256()
        for found in files:
            if found.suffix in _CODE and found.is_file():
                whole.update(found.read_bytes())
        digests.append(f"{name} {whole.hexdigest()}")
    return digests


def _files(location: str) -> list[list[Any]]:
    """Return names, sizes and times of a product's files on this machine; nothing for a product elsewhere."""
    root = Path(location)
    if not root.exists():
        return []
    files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
    return [[str(path), (told := path.stat()).st_size, told.st_mtime_ns] for path in files]
