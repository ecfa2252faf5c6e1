"""What differs between two versions of an object, told a line each."""

from __future__ import annotations

import json
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from swath_sde.changes import Action, Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from swath_sde.objects._client import Object

__all__ = ["change_of", "differences", "name_of"]

_OF_THE_SERVER = {
    "metadata": {"managedFields", "resourceVersion", "generation", "uid", "creationTimestamp"},
    "": {"status"},
}
"""Fields that the API server writes; they say nothing of what was wanted."""

_HIDDEN = {"Secret": {"data", "stringData"}}
"""Fields of which only the names of what differs are told."""

_LONGEST = 60
"""Characters of a value that are shown."""


def name_of(body: Mapping[str, Any]) -> str:
    """Return an object's name, after that of its namespace where it has one."""
    meta = body["metadata"]
    return f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else str(meta["name"])


def change_of(
    body: Mapping[str, Any], held: Object | None, becomes: Callable[[Object], Mapping[str, Any]]
) -> Change:
    """Return how an object would change.

    Parameters
    ----------
    body
        Its manifest.
    held
        What is there under its name, None where there is nothing.
    becomes
        Returns what would come out of what is there; not asked where there is nothing.
    """
    if held is None:
        return Change(body["kind"], name_of(body), Action.CREATE)
    details = differences(held, becomes(held))
    return Change(body["kind"], name_of(body), Action.UPDATE if details else Action.NONE, details)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return how an object would change, in lines such as ``spec.replicas: 0 → 1``. No value of a Secret."""
    hidden = _HIDDEN.get(str(after.get("kind")), set())
    return tuple(_compared("", _wanted(before), _wanted(after), hidden))


def _wanted(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in body.items() if key not in _OF_THE_SERVER[""]}
    if "metadata" in kept:
        kept["metadata"] = {
            key: value for key, value in kept["metadata"].items() if key not in _OF_THE_SERVER["metadata"]
        }
    return kept


def _compared(path: str, before: Any, after: Any, hidden: set[str]) -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() | after.keys()):
            yield from _compared(
                f"{path}.{key}" if path else str(key), before.get(key), after.get(key), hidden
            )
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from _compared(f"{path}[{index}]", old, new, hidden)
    elif path.partition(".")[0] in hidden:
        yield f"{path}: differs (not shown)"
    elif isinstance(before, list) and isinstance(after, list):
        yield from _members(path, before, after)
    elif isinstance(before, str) and isinstance(after, str):
        yield from _texts(path, before, after)
    else:
        yield f"{path}: {_shown(before)} → {_shown(after)}"


def _members(path: str, before: list[Any], after: list[Any]) -> Iterator[str]:
    """Tell which members of a list go and which come: both lists in full would begin, and be cut, alike."""
    gone = [member for member in before if member not in after]
    new = [member for member in after if member not in before]
    for member in gone:
        yield f"{path}: {_shown(member)} → nothing"
    for member in new:
        yield f"{path}: nothing → {_shown(member)}"
    if not gone and not new:
        yield f"{path}: {len(before)} → {len(after)} members"


def _texts(path: str, before: str, after: str) -> Iterator[str]:
    """Tell what differs inside of a text: of a document in JSON by its keys, of others by their lines."""
    old, new = _document(before), _document(after)
    if old is not None and new is not None and old != new:
        yield from _compared(path, old, new, set())
        return
    if "\n" not in before.strip() and "\n" not in after.strip():
        yield f"{path}: {_shown(before)} → {_shown(after)}"
        return
    lines, others = before.splitlines(), after.splitlines()
    for action, begin, end, start, stop in SequenceMatcher(None, lines, others).get_opcodes():
        if action != "equal":
            for line, other in zip_longest(lines[begin:end], others[start:stop]):
                yield f"{path}: {_shown(line)} → {_shown(other)}"


def _document(text: str) -> Any:
    """Return the mapping or list that a text is in JSON; None where it is none."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict) and isinstance(value.get("kind"), str) and isinstance(value.get("name"), str):
        return f"{value['kind']} {value['name']}"  # a subject of a binding, or another reference
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
