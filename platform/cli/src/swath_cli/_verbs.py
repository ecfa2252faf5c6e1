"""Verbs come from the entry points of whatever packages are installed."""

from importlib.metadata import EntryPoint, entry_points

import click

VERB_GROUP = "swath.verbs"
"""Entry-point group of the verbs: the name is the verb, the object a ``click.Command``."""


class Verbs(click.Group):
    """A command group whose members are the installed packages' verbs, each imported only when it is needed.

    A package's verbs module must be light, because ``swath --help`` imports it for its one-line help:
    whatever a verb works with is imported inside the verb.
    """

    _found: dict[str, EntryPoint] | None = None

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._found is None:
            self._found = {found.name: found for found in entry_points(group=VERB_GROUP)}
        return self._found

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the names of all verbs, sorted."""
        return sorted(self._entry_points())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one verb, or None where no installed package brings it."""
        found = self._entry_points().get(cmd_name)
        if found is None:
            return None
        verb: click.Command = found.load()
        return verb

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb that was typed; where there is none, guess the one that was meant."""
        if args and not args[0].startswith("-") and args[0] not in self._entry_points():
            from difflib import get_close_matches  # noqa: PLC0415 -- only needed for a mistake

            near = get_close_matches(args[0], self._entry_points(), n=1)
            hint = (
                f"Did you mean {near[0]!r}?" if near else f"Verbs here: {', '.join(self.list_commands(ctx))}."
            )
            ctx.fail(f"No such verb {args[0]!r}. {hint}")
        return super().resolve_command(ctx, args)
