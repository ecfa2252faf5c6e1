"""Verbs come from the entry points of whatever packages are installed."""

# ruff: noqa: PTH123, PTH208 -- at every start of the command, pathlib's import alone would be a tenth of its time

import os
import sys
from collections.abc import Iterator
from importlib import import_module

import click

VERB_GROUP = "swath.verbs"
"""Entry-point group of the verbs: the name is the verb, the object a ``click.Command``."""


def entry_points(group: str) -> Iterator[tuple[str, str]]:
    """Yield name and object reference of the entry points of a group, from the installed packages' metadata.

    As ``importlib.metadata`` finds them, whose import alone takes two thirds of the time of importing click
    (it brings parsers of e-mail and zip files along), and every call of ``swath`` would pay for it.

    Source: PyPA specifications, *Entry points specification*, file format; *Recording installed projects*.
    """
    for folder in sys.path:
        try:
            names = sorted(name for name in os.listdir(folder or ".") if name.endswith(".dist-info"))
        except OSError:  # a path of sys.path need not be a folder
            continue
        for name in names:
            try:
                with open(f"{folder or '.'}/{name}/entry_points.txt", encoding="utf-8") as file:
                    lines = file.read().splitlines()
            except OSError:  # most packages have none
                continue
            section = ""
            for line in map(str.strip, lines):
                if line.startswith("["):
                    section = line.strip("[] ")
                elif section == group and "=" in line and not line.startswith(("#", ";")):
                    verb, _, reference = line.partition("=")
                    yield verb.strip(), reference.strip()


class Verbs(click.Group):
    """A command group whose members are the installed packages' verbs, each imported only when it is needed.

    A package's verbs module must be light, because ``swath --help`` imports it for its one-line help:
    whatever a verb works with is imported inside the verb.
    """

    _found: dict[str, str] | None = None

    def _references(self) -> dict[str, str]:
        if self._found is None:
            self._found = {}
            for name, reference in entry_points(VERB_GROUP):
                self._found.setdefault(name, reference)  # the first on the path wins, as with imports
        return self._found

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the names of all verbs, sorted."""
        return sorted(self._references())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one verb, or None where no installed package brings it."""
        reference = self._references().get(cmd_name)
        if reference is None:
            return None
        module, _, name = reference.partition(":")
        verb: click.Command = getattr(import_module(module), name)
        return verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that was typed; where there is none, guess the one that was meant."""
        if args and not args[0].startswith("-") and args[0] not in self._references():
            if args[0] == "test":
                ctx.fail("`test` runs the checks of a checkout, by the script in it: ./swath test")
            from difflib import get_close_matches  # noqa: PLC0415 -- only needed for a mistake

            near = get_close_matches(args[0], self._references(), n=1)
            hint = (
                f"Did you mean {near[0]!r}?" if near else f"Verbs here: {', '.join(self.list_commands(ctx))}."
            )
            ctx.fail(f"No such verb {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)
