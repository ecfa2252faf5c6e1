"""Swath: read, write and process Earth-observation products, chunk by chunk.

Importing this package loads no array library: each public name is imported on its first use (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from swath.processing import apply, get_processor, list_processors, plan
    from swath.product import Grid, Window, chunk_source, open_product, write_product
    from swath.product.fetch import fetch
    from swath.product.search import search
    from swath.run import execute, load_payload, make_payload

__all__ = [
    "Grid",
    "Window",
    "apply",
    "chunk_source",
    "execute",
    "fetch",
    "get_processor",
    "list_processors",
    "load_payload",
    "make_payload",
    "open_product",
    "plan",
    "search",
    "write_product",
]

_HOME = {
    **dict.fromkeys(["Grid", "Window", "chunk_source", "open_product", "write_product"], "swath.product"),
    "fetch": "swath.product.fetch",
    "search": "swath.product.search",
    **dict.fromkeys(["apply", "get_processor", "list_processors", "plan"], "swath.processing"),
    **dict.fromkeys(["execute", "load_payload", "make_payload"], "swath.run"),
}


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
