"""Which drills there are: a file of the checkout names them, what each shows and its tests."""

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from swath_developer.errors import BadInputError

CATALOGUE: Final = Path("tests", "drills.toml")
"""Where the drills are named, in a checkout."""


@dataclass(frozen=True, slots=True)
class Drill:
    """A selection of tests with a name."""

    name: str
    """What it is called on the command line and in the docs."""
    shows: str
    """What is known when it has passed, in one sentence."""
    tests: tuple[str, ...]
    """Files, folders or single tests, as pytest takes them, from the root of the checkout."""


def catalogue(checkout: Path) -> dict[str, Drill]:
    """Return the drills of a checkout by name, in the order of the file.

    Raises
    ------
    BadInputError
        The checkout has no such file, it is not right, or it names a file of tests that is not there.
    """
    file = checkout / CATALOGUE
    try:
        told = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInputError(
            f"{CATALOGUE} is not in {checkout}: the checkout is of a version before drills."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise BadInputError(f"{CATALOGUE} is no TOML: {error}.") from error
    drills = {}
    for name, entry in told.items():
        known = entry if isinstance(entry, dict) else {}
        shows, tests = known.get("shows"), known.get("tests")
        if not (isinstance(shows, str) and shows and isinstance(tests, list) and tests):
            raise BadInputError(
                f"{CATALOGUE}: [{name}] needs `shows`, a sentence, and `tests`, a list of what pytest runs."
            )
        for test in tests:
            if not (checkout / str(test).partition("::")[0]).exists():
                raise BadInputError(f"{CATALOGUE}: [{name}] names {test}, which is not in {checkout}.")
        drills[name] = Drill(name, shows, tuple(map(str, tests)))
    return drills


def find(checkout: Path, name: str) -> Drill:
    """Return one drill of a checkout.

    Raises
    ------
    BadInputError
        There is none of that name.
    """
    drills = catalogue(checkout)
    if name in drills:
        return drills[name]
    near = get_close_matches(name, drills, n=1)
    hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(drills)}."
    raise BadInputError(f"There is no drill {name!r}. {hint}")
