"""`dispinmap start`: the bot for real, with its backup."""

from typing import Annotated

import typer

from dispinmap.cli import launching

app = typer.Typer(add_completion=False)


@app.command()
def start(
    *,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Begin empty where a bot has written and nothing of it is left.")
    ] = False,
) -> None:
    """Restore the database if there is none, replicate it all the time, and run the bot: the container's command."""
    launching.start(allow_empty=allow_empty)
