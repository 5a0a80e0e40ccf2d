"""`dispinmap start`: the bot with its backup."""

from typing import Annotated

import typer

from dispinmap.cli import launching

app = typer.Typer(add_completion=False)


@app.command()
def start(
    *,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Start empty even if an earlier bot's data can't be found.")
    ] = False,
) -> None:
    """Restore the database if there is none, replicate it all the time, and run the bot. The container runs this."""
    launching.start(allow_empty=allow_empty)
