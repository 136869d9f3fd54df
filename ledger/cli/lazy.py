"""A group of commands whose modules are imported when they are called, not when they are listed."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup


class LazyGroup(TyperGroup):
    """Lists `words`, {command or group: (its module in ledger.cli, its help's first sentence)}.

    A module has `add_to(app)`, which adds what it has. The help is told twice, here and there, so
    that `--help` imports nothing; a test compares.
    """

    def __init__(self, *, words: Mapping[str, tuple[str, str]], **more: Any) -> None:
        listed = [TyperCommand(name, help=help_) for name, (_, help_) in words.items()]
        super().__init__(commands=listed, **more)
        self._modules: Final = {name: module for name, (module, _) in words.items()}

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and self.load(name or ""), rest

    def load(self, name: str) -> Any:
        """The command itself, or the group, in the place of what is listed of it."""
        if (module := self._modules.get(name)) is not None:
            app = typer.Typer(rich_markup_mode=None)
            app.callback()(_no_options)  # so that one command alone is a group's, too
            import_module(f"ledger.cli.{module}").add_to(app)
            found: Any = typer.main.get_command(app)
            for each, command in found.commands.items():
                self.commands[each] = command
                self._modules.pop(each, None)
        return self.commands[name]


def _no_options() -> None:
    """A group without options of its own."""
