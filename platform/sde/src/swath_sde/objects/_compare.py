"""What differs between two versions of an object, told a line each."""

from __future__ import annotations

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
    else:
        yield f"{path}: {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
