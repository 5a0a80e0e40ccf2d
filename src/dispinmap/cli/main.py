"""The Typer application with all commands of `dispinmap`."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from dispinmap.cli.importing import unsearched

COMMANDS: Final = ("run", "start", "sandbox", "db", "backup")
"""Each is a module of this package with an `app`."""


class _OnDemand(TyperGroup):
    """Imports only the command that is called, because a restart must not wait for the imports of the others."""

    def list_commands(self, _context: object, /) -> list[str]:
        return list(COMMANDS)

    def get_command(self, _context: object, name: str, /) -> TyperCommand | TyperGroup | None:
        if name not in COMMANDS:
            return None
        command = get_command(_imported(name))
        if not isinstance(command, TyperCommand | TyperGroup):
            raise TypeError(command)
        command.name = name
        return command


def _imported(name: str) -> typer.Typer:
    with unsearched():
        found: typer.Typer = import_module(f"dispinmap.cli.{name}").app
    return found


app = typer.Typer(
    cls=_OnDemand,
    help="Watches Pinball Map and tells Discord channels what changed.",
    no_args_is_help=True,
    add_completion=False,
)


def _show_version(*, wanted: bool) -> None:
    if wanted:
        typer.echo(f"dispinmap {version('dispinmap')}")
        raise typer.Exit


@app.callback()
def _root(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=lambda value: _show_version(wanted=value), is_eager=True)
    ] = False,
) -> None:
    pass
