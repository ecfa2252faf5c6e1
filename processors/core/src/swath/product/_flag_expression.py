"""Expressions over the flags of a variable: ``not (invalid or duplicated) and land``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from swath.errors import InputError

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["flag_mask", "split_expression"]

_TOKEN = re.compile(r"\s*(?:([A-Za-z0-9_.+-]+)|([()]))")
_WORDS = ("and", "or", "not")


def split_expression(text: str) -> tuple[str, str]:
    """Split ``PATH: EXPRESSION`` into the variable's path, without slashes around it, and the expression.

    Raises
    ------
    InputError
        There is no colon, or nothing on one of its sides.
    """
    path, colon, expression = text.partition(":")
    if not colon or not path.strip() or not expression.strip():
        raise InputError(
            f"cannot understand {text!r}: write the path of the flags, a colon and an expression, as "
            "'quality/quality_flags: not (invalid or duplicated)'"
        )
    return path.strip().strip("/"), expression.strip()


def flag_mask(flags: xr.DataArray, expression: str) -> xr.DataArray:
    """Return where an expression holds, lazily.

    Parameters
    ----------
    flags
        A variable with CF flags: ``flag_meanings`` with ``flag_masks``, ``flag_values`` or both.
    expression
        Names of flags with ``and``, ``or``, ``not`` and parentheses; ``not`` binds closest, then ``and``.

    Raises
    ------
    InputError
        The variable has no flags, a name is none of them, or the expression is malformed.
    """
    parser = _Parser(flags, expression)
    try:
        return parser.whole()
    except RecursionError:
        raise InputError(
            f"flag expression {expression[:60]!r}… has too many parentheses in one another"
        ) from None


class _Parser:
    """Recursive descent over the tokens of one expression."""

    def __init__(self, flags: xr.DataArray, expression: str) -> None:
        self._flags, self._text = flags, expression
        self._known = _conditions(flags)
        self._tokens = self._split(expression)
        self._at = 0

    def _split(self, text: str) -> list[str]:
        tokens, at = [], 0
        while text[at:].strip():
            found = _TOKEN.match(text, at)
            if found is None:
                raise self._error(f"cannot understand {text[at:].strip()!r}")
            tokens.append(found[1] or found[2])
            at = found.end()
        if len(tokens) > 1000:
            raise self._error(f"{len(tokens)} words are too many")
        return tokens

    def _error(self, told: str) -> InputError:
        return InputError(
            f"flag expression {self._text!r}: {told}; write names of flags with and, or, not and "
            f"parentheses. "
            f"{self._flags.name} has {', '.join(_conditions(self._flags))}"
        )

    def _next(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self._at += 1
        return token

    def whole(self) -> xr.DataArray:
        found = self._or()
        if self._next():
            raise self._error(f"{self._next()!r} is not expected there")
        return found

    def _or(self) -> xr.DataArray:
        left = self._and()
        while self._next() == "or":
            self._take()
            left = left | self._and()
        return left

    def _and(self) -> xr.DataArray:
        left = self._not()
        while self._next() == "and":
            self._take()
            left = left & self._not()
        return left

    def _not(self) -> xr.DataArray:
        turned = False
        while self._next() == "not":
            self._take()
            turned = not turned
        found = self._one()
        return ~found if turned else found

    def _one(self) -> xr.DataArray:
        token = self._take()
        if token == "(":  # noqa: S105 -- a parenthesis
            inner = self._or()
            if self._take() != ")":
                raise self._error("a parenthesis is not closed")
            return inner
        if token not in self._known or token in _WORDS:
            raise self._error(f"{token!r} is none of its flags" if token else "it ends too early")
        mask, value = self._known[token]
        found: xr.DataArray = self._flags if mask is None else self._flags & mask
        held: xr.DataArray = found == value if value is not None else found != 0
        return held


def _conditions(flags: xr.DataArray) -> dict[str, tuple[Any, Any]]:
    """Return name → mask and value; CF conventions 1.11, section 3.5."""
    meanings = flags.attrs.get("flag_meanings", [])
    names = meanings.split() if isinstance(meanings, str) else list(meanings)
    masks, values = (
        None if flags.attrs.get(key) is None else np.atleast_1d(np.asarray(flags.attrs[key]))
        for key in ("flag_masks", "flag_values")
    )
    told = masks if masks is not None else values
    if not names or told is None or len(told) != len(names) or flags.dtype.kind not in "iu":
        raise InputError(
            f"{flags.name} has no flags: expected whole numbers with flag_meanings and flag_masks or "
            f"flag_values"
        )
    kind = flags.dtype.type
    size = 8 * flags.dtype.itemsize

    def number(value: Any) -> Any:
        # A mask of the highest bit is told as a negative number where the type of the attribute is signed.
        return kind(int(value) % (1 << size)) if flags.dtype.kind == "u" else kind(value)

    return {
        name: (
            None if masks is None else number(masks[k]),
            None if values is None else number(values[k]),
        )
        for k, name in enumerate(names)
    }
