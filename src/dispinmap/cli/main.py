"""`dispinmap`: the entry point, and how errors leave it."""

import sys
from importlib.metadata import version
from typing import Annotated

import typer

from dispinmap.cli import backup, db, run, sandbox, start
from dispinmap.errors import DisPinMapError, SettingsError

EXIT_FAILURE = 1
EXIT_SETTINGS = 2

app = typer.Typer(
    help="Watches Pinball Map and tells Discord channels what changed.", no_args_is_help=True, add_completion=False
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


app.command("run")(run.run)
app.command("start")(start.start)
app.command("sandbox")(sandbox.sandbox)
app.add_typer(db.app, name="db")
app.add_typer(backup.app, name="backup")


def main() -> None:
    """Run the command. An error that has a sentence ends it with that sentence alone."""
    try:
        app()
    except SettingsError as error:
        typer.echo(str(error), err=True)
        sys.exit(EXIT_SETTINGS)
    except DisPinMapError as error:
        typer.echo(str(error), err=True)
        sys.exit(EXIT_FAILURE)
