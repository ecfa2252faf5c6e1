"""Asking again: what failed may succeed a moment later, but not for ever."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from swath.errors import InputError, ProductError, StoreError
from swath.io.remote._transport import DeniedError, FailedError, GoneError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["Patience", "asked", "patience"]

T = TypeVar("T")

ATTEMPTS, TIMEOUT = "SWATH_REMOTE_ATTEMPTS", "SWATH_REMOTE_TIMEOUT"
"""Environment variables."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a store is asked for one thing."""

    attempts: int = 5
    """How often it is asked, the first time included."""
    timeout: float = 30.0
    """Seconds without a byte after which an attempt has failed."""
    pause: float = 0.2
    """Seconds before the second attempt; each later pause is twice as long, and up to half of it random."""
    longest: float = 10.0
    """Most seconds of a pause, whatever the server asks for."""

    def wait(self, attempt: int, told: float | None) -> float:
        """Return the seconds to wait after an attempt (from 1) failed; ``told`` is the server's own wish."""
        pause: float = min(self.pause * 2 ** (attempt - 1), self.longest)
        pause *= 0.5 + 0.5 * random.random()  # noqa: S311 -- no secret: many clients shall not come at once
        return min(max(pause, told or 0.0), self.longest)


def patience() -> Patience:
    """Return the patience that the environment asks for.

    Raises
    ------
    InputError
        A variable of the environment is no number, or out of range.
    """
    attempts = _number(ATTEMPTS, Patience().attempts, 1, 100)
    return Patience(attempts=int(attempts), timeout=_number(TIMEOUT, Patience().timeout, 0.1, 3600))


def _number(name: str, default: float, least: float, most: float) -> float:
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise InputError(
            f"The environment variable {name} is {text!r}, expected a number from {least:g} to {most:g}."
        )
    return value


async def asked(what: str, ask: Callable[[], Awaitable[T]], patient: Patience) -> T:
    """Return what a store answers, asking again where that may help.

    Parameters
    ----------
    what
        What is asked for and where, as the error tells it.
    ask
        Asks once.
    patient
        How often, and how long between.

    Raises
    ------
    StoreError
        The store failed each time.
    ProductError
        It refuses: the address or the rights are wrong.
    GoneError
        There is no such file.
    """
    attempt = 0
    while True:
        attempt += 1
        try:
            return await ask()
        except GoneError:
            raise
        except DeniedError as error:
            raise ProductError(
                f"{what} cannot be reached from here ({error}): see that the address is right, and that you "
                "have the right to read there"
            ) from None
        except FailedError as error:
            if attempt >= patient.attempts or error.final:
                times = "once" if attempt == 1 else f"{attempt} times"
                raise StoreError(
                    f"{what} could not be read: it was asked for {times}, and the last answer was: {error}. "
                    + (error.remedy or "Try again later.")
                ) from None
            await asyncio.sleep(patient.wait(attempt, error.wait))
