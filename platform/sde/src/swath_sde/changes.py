"""What a plan finds: one change an object, for people and as JSON. Secrets never get into one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

__all__ = ["Action", "Change", "as_json", "describe", "pending"]


class Action(StrEnum):
    """What is to be done with an object."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    NONE = "none"


_MARKS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-", Action.NONE: " "}


@dataclass(frozen=True, slots=True)
class Change:
    """One object and what ``apply`` would do with it."""

    kind: str
    """What the object is, in the words of its own system: ``Helm release``, ``Keycloak client``."""
    name: str
    """Its name there."""
    action: Action
    """What is to be done."""
    details: tuple[str, ...] = ()
    """What differs, a line each: ``spec.replicas: 2 → 1``. Values of secrets are never in it."""


def pending(changes: Iterable[Change]) -> list[Change]:
    """Return the changes that would change something."""
    return [change for change in changes if change.action is not Action.NONE]


def describe(changes: Sequence[Change], *, done: bool = False) -> str:
    """Return a plan, or what was done, as people read it: ``+`` is created, ``~`` changed, ``-`` deleted.

    Examples
    --------
    >>> print(describe([Change("Helm release", "hub", Action.UPDATE, ("spec.replicas: 0 → 1",))]))
    ~ Helm release hub
        spec.replicas: 0 → 1
    1 to change; nothing else differs.
    """
    lines = []
    for change in pending(changes):
        lines.append(f"{_MARKS[change.action]} {change.kind} {change.name}")
        lines += [f"    {detail}" for detail in change.details]
    counts = [
        f"{number} {word}d" if done else f"{number} to {word}"
        for action, word in (
            (Action.CREATE, "create"),
            (Action.UPDATE, "change"),
            (Action.DELETE, "delete"),
        )
        if (number := sum(change.action is action for change in changes))
    ]
    rest = "nothing else was changed" if done else "nothing else differs"
    nothing = "Nothing was changed." if done else "Nothing to change."
    lines.append(f"{', '.join(counts)}; {rest}." if counts else nothing)
    return "\n".join(lines)


def as_json(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """Return a plan as plain JSON values."""
    return [{**asdict(change), "details": list(change.details)} for change in changes]
