"""Reading ``swath.yaml``: whatever is wrong in it is told at once, each with its place and a remedy."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from types import NoneType
from typing import TYPE_CHECKING, Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from swath_sde.configuration._base import IN_WORDS
from swath_sde.configuration._installation import Installation
from swath_sde.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FILE_NAME", "load_installation", "schema"]

FILE_NAME = "swath.yaml"
"""Name of the file that describes an installation."""

_LARGEST = 1 << 20
"""Bytes that such a file has at most."""


class _OneOfEachKey(yaml.SafeLoader):
    """YAML's safe loader, which refuses a key that stands twice instead of taking the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key.value!r} stands twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_installation(path: str | Path | None = None) -> Installation:
    """Return the installation that a file describes; without a file, the embedded one with all defaults.

    Parameters
    ----------
    path
        The file; by default ``swath.yaml`` of the working folder where there is one.

    Raises
    ------
    ConfigurationError
        The file cannot be read, or says what an installation cannot be; all mistakes are told at once.
    """
    if path is None:
        path = Path(FILE_NAME)
        if not path.is_file():
            return Installation()
    file = Path(path)
    try:
        if file.stat().st_size > _LARGEST:
            raise ConfigurationError(
                f"{file} has {file.stat().st_size} bytes; a description of an installation has a page or two"
            )
        content = yaml.load(file.read_text(encoding="utf-8"), Loader=_OneOfEachKey)  # noqa: S506 -- a SafeLoader
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"{file} is not text in UTF-8 (byte {error.start} is none): write it anew"
        ) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(f"{file} is not YAML: {_problem(error)}") from None
    if not isinstance(content, dict):
        raise ConfigurationError(f"{file} holds no mapping; `swath config init` writes one to start from")
    try:
        installation = Installation.model_validate(content)
    except ValidationError as error:
        told = "\n".join(f"  {line}" for line in _explain(error))
        raise ConfigurationError(f"{file} is refused:\n{told}") from None
    where, images = installation.where, installation.images
    return installation.model_copy(
        update={
            "where": where.model_copy(update={"kubeconfig": _beside(file, where.kubeconfig)}),
            "images": images.model_copy(
                update={"login": _beside(file, images.login), "authority": _beside(file, images.authority)}
            ),
        }
    )


def _problem(error: yaml.YAMLError) -> str:
    """Say in one line what YAML found, and in which line of the file."""
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return " ".join(str(error).split())
    problem = str(getattr(error, "problem", None) or "it cannot be understood")
    hint = "; indent by blanks" if "'\\t'" in problem else ""
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}{hint}"


def _beside(file: Path, named: Path | None) -> Path | None:
    """Return a path that counts from the folder of the description."""
    return None if named is None else (file.resolve().parent / named.expanduser()).resolve()


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of ``swath.yaml``, for editors and other validators."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Installation.model_json_schema(),
        "title": "swath.yaml: an installation of Swath",
    }


_PLAIN = {
    "dict_type": "input should be a mapping of keys to values",
    "model_type": "input should be a mapping of keys to values",
    "list_type": "input should be a list",
    "tuple_type": "input should be a list",
    "string_type": "input should be text",
}
"""What pydantic says in Python's words, in those of who writes YAML, by the type of its error."""


def _explain(error: ValidationError) -> Iterator[str]:
    for part in error.errors():
        place = ".".join(map(str, part["loc"])) or "the file"
        if part["type"] == "extra_forbidden":
            known = _fields(part["loc"][:-1])
            near = get_close_matches(str(part["loc"][-1]), known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"keys here: {', '.join(known)}"
            yield f"{place}: no such key; {hint}"
        elif part["type"] == "missing":
            yield f"{place}: is missing{_of_whom(part['input'])}"
        elif part["type"] == "value_error":
            yield f"{place}: {part['msg'].removeprefix('Value error, ')}"
        else:
            pattern = (part.get("ctx") or {}).get("pattern", "")
            expected = f"expected {IN_WORDS[pattern]}" if pattern in IN_WORDS else _PLAIN.get(part["type"])
            said = expected or f"{part['msg'][0].lower()}{part['msg'][1:]}"
            yield f"{place}: got {part['input']!r}; {said}"


def _of_whom(given: Any) -> str:
    """Return the name that an entry of a list has, as its number says little; nothing where it has none."""
    name = given.get("username", given.get("name")) if isinstance(given, dict) else None
    return f" (of {name!r})" if isinstance(name, str) else ""


def _fields(place: tuple[int | str, ...]) -> list[str]:
    """Return the keys that may stand at a place of the file."""
    found: Any = Installation
    for step in place:
        if _is_model(found):
            fields = {field.alias or name: field for name, field in found.model_fields.items()}
            found = fields[str(step)].annotation
        else:  # a tuple or a mapping; the step is an index or a key
            found = [part for part in get_args(found) if part is not Ellipsis][-1]
        if not _is_model(found) and NoneType in get_args(found):
            found = get_args(found)[0]
    return [field.alias or name for name, field in found.model_fields.items()]


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
