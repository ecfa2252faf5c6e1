"""One change and the way to make it: what ``plan`` shows is what ``apply`` does, from the same object."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from swath_sde.changes import Change

__all__ = ["Rank", "Step", "differences", "in_order"]


class Rank(IntEnum):
    """When a step is taken. Whoever loses access loses it first: an interruption after that does no harm."""

    REALM = 0
    REVOKE = 1
    MAKE = 2
    REMOVE = 3


@dataclass(frozen=True, slots=True)
class Step:
    """A change to one object."""

    change: Change
    """What is shown of it."""
    take: Callable[[], object]
    """Makes the change."""
    rank: Rank = Rank.MAKE
    """When it is made."""


def in_order(steps: list[Step]) -> list[Step]:
    """Return the steps in the order in which they are taken."""
    return sorted(steps, key=lambda step: step.rank)


def differences(desired: Mapping[str, Any], live: Mapping[str, Any], within: str = "") -> Iterator[str]:
    """Yield a line for each desired field that differs: ``field: live → desired``. Other fields are not seen.

    Lists are compared without their order.
    """
    for key, value in desired.items():
        found = live.get(key)
        if isinstance(value, dict):
            yield from differences(value, found or {}, f"{within}{key}.")
        elif isinstance(value, list):
            if sorted(value) != sorted(found or ()):
                yield f"{within}{key}: {_shown(sorted(found or ()))} → {_shown(sorted(value))}"
        # Keycloak leaves out what is empty.
        elif value != found and (value or found):
            yield f"{within}{key}: {_shown(found)} → {_shown(value)}"


def _shown(value: Any) -> str:
    if value is None or value in ("", []):
        return "nothing"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
