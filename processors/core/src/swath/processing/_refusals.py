"""What pydantic found wrong, in sentences that guess what was meant."""

from collections.abc import Sequence
from difflib import get_close_matches

from pydantic import BaseModel, ValidationError

__all__ = ["explain"]


_MAPPING, _LIST = "expected a mapping of keys to values", "expected a list"
_PLAIN = {
    "dict_type": _MAPPING,
    "model_type": _MAPPING,
    "model_attributes_type": _MAPPING,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
}
"""What pydantic says in Python's words, in those of who writes YAML, by the type of its error."""


def explain(model: type[BaseModel], error: ValidationError) -> str:
    """Tell all mistakes at once: which field, what is wrong with it, and what was expected."""
    told = []
    for mistake in error.errors(include_url=False):
        *parents, last = (str(part) for part in mistake["loc"]) if mistake["loc"] else ("",)
        where = ".".join([*parents, last])
        if mistake["type"] == "extra_forbidden":
            told.append(f"unknown key {where!r}; {_meant(last, _fields(model, parents))}")
        elif mistake["type"] == "missing":
            told.append(f"the key {where!r} is missing.")
        else:
            said = _PLAIN.get(mistake["type"]) or mistake["msg"].removeprefix("Value error, ")
            told.append(f"{where}: {said} (got {mistake['input']!r}).")
    return " ".join(told)


def _fields(model: type[BaseModel], parents: Sequence[str]) -> list[str]:
    """Return the field names of the model in which a mistake was made."""
    for parent in parents:
        field = model.model_fields.get(parent)
        if (
            field is None
            or not isinstance(field.annotation, type)
            or not issubclass(field.annotation, BaseModel)
        ):
            return []
        model = field.annotation
    return list(model.model_fields)


def _meant(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(known) or 'none'}."
