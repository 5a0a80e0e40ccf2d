"""`dispinmap run`: the bot for real."""

import typer

from dispinmap import app as application
from dispinmap import log
from dispinmap.cli.stopping import run_until_stopped
from dispinmap.clock import SystemClock
from dispinmap.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def run() -> None:
    """Run the bot. It reads its settings from the environment and from .env."""
    settings = Settings.load()
    log.configure(settings.log_level, settings.log_format, settings.secrets)
    run_until_stopped(application.run(settings, SystemClock()))
