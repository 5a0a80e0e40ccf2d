"""`dispinmap start`: the bot for real, with its backup."""

from typing import Annotated

import typer

from dispinmap import log
from dispinmap import start as launch
from dispinmap.cli.stopping import run_until_stopped
from dispinmap.clock import SystemClock
from dispinmap.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def start(
    *,
    allow_empty: Annotated[
        bool, typer.Option("--allow-empty", help="Begin empty where a bot has written and nothing of it is left.")
    ] = False,
) -> None:
    """Restore the database if there is none, replicate it all the time, and run the bot: the container's command."""
    settings = Settings.load()
    log.configure(settings.log_level, settings.log_format, settings.secrets)
    run_until_stopped(launch.start(settings, SystemClock(), allow_empty=allow_empty))
