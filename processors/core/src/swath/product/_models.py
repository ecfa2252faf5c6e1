"""Models of products: which variables there are, of which type, over which dimensions; which attributes.

The files in ``models`` re-express the product models of eopf 2.8.1 as lines of text:
``variable PATH TYPE DIMENSION…``, ``attribute PATH``, and ``container`` where each child of the root is a
product.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from swath.errors import InputError

__all__ = ["Model", "VariableModel", "load_model", "model_names"]


@dataclass(frozen=True, slots=True)
class VariableModel:
    """What a variable should be."""

    dtype: str
    """Of the decoded values, in numpy's words."""
    dimensions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """What a product of a type should be."""

    name: str
    """Type of the product, ``S03OLCEFR``."""
    variables: dict[str, VariableModel]
    """Path → what it should be."""
    attributes: tuple[str, ...]
    """Paths of the attributes of the root: ``stac_discovery/properties/datetime``."""
    container: bool
    """Whether each child of the root is a product of its own."""


def model_names() -> tuple[str, ...]:
    """Return the types of products that there are models of."""
    folder = files("swath.product") / "models"
    return tuple(sorted(entry.name.removesuffix(".txt") for entry in folder.iterdir()))


@lru_cache(maxsize=32)
def load_model(name: str) -> Model:
    """Return the model of a type of products.

    Raises
    ------
    InputError
        There is none; those that there are are told.
    """
    if name not in model_names():
        raise InputError(f"no model of {name!r}; there are {', '.join(model_names())}")
    text = (files("swath.product") / "models" / f"{name}.txt").read_text(encoding="utf-8")
    variables, attributes, container = {}, [], False
    for line in text.splitlines():
        match line.split():
            case ["variable", path, dtype, *dimensions]:
                variables[path] = VariableModel(dtype, tuple(dimensions))
            case ["attribute", path]:
                attributes.append(path)
            case ["container"]:
                container = True
    return Model(name, variables, tuple(attributes), container)
