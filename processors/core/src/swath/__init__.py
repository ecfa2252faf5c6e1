"""Swath: read, write and process Earth-observation products, chunk by chunk.

Importing this package loads no array library: each public name is imported on its first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swath.product import Grid, Window, chunk_source, open_product, write_product

__all__ = ["Grid", "Window", "chunk_source", "open_product", "write_product"]

_HOME = dict.fromkeys(__all__, "swath.product")


def __getattr__(name: str) -> Any:
    """Import a public name from where it lives."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module 'swath' has no attribute {name!r}")
    found = getattr(import_module(home), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
