"""`dispinmap sandbox`: everything on this machine, with no account, token or internet."""

from typing import Annotated, Literal

import typer

from dispinmap import log
from dispinmap.cli.stopping import run_until_stopped
from dispinmap.sandbox import run as sandbox_run
from dispinmap.sandbox.services import DISCORD_TOKEN, PINBALLMAP_TOKEN

app = typer.Typer(add_completion=False)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The chat page's port; 0 takes a free one.")] = 0,
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], typer.Option(case_sensitive=False, help="How much is logged.")
    ] = "WARNING",
) -> None:
    """Try the whole bot on this machine, with no account, token or internet."""
    log.configure(log_level, "console", (DISCORD_TOKEN, PINBALLMAP_TOKEN))
    run_until_stopped(sandbox_run.run(port, _announce))


def _announce(url: str) -> None:
    typer.echo(f"The sandbox is ready: open {url} in a browser. Ctrl-C stops it.")
