"""`dispinmap sandbox`: everything on this machine, with no account, token or internet."""

from importlib import import_module
from types import ModuleType
from typing import Annotated, Final, Literal

import typer

from dispinmap import log
from dispinmap.cli.stopping import run_until_stopped
from dispinmap.errors import DisPinMapError

PACKAGE: Final = "dispinmap_sandbox"
"""Loaded by name: the bot works without this package, and the production image does not have it."""
MISSING: Final = "The sandbox is not part of this installation. Clone the repository and run `make sandbox` there."

app = typer.Typer(add_completion=False)


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="The chat page's port; 0 takes a free one.")] = 0,
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], typer.Option(case_sensitive=False, help="How much is logged.")
    ] = "WARNING",
) -> None:
    """Try the whole bot on this machine, with no account, token or internet."""
    embedded = _loaded()
    log.configure(log_level, "console", embedded.TOKENS)
    run_until_stopped(embedded.run(port, _announce))


def _loaded() -> ModuleType:
    """The sandbox's `run` module. Raises DisPinMapError if the sandbox is not installed."""
    try:
        return import_module(f"{PACKAGE}.run")
    except ModuleNotFoundError as error:
        if error.name != PACKAGE:
            raise
        raise DisPinMapError(MISSING) from None


def _announce(url: str) -> None:
    typer.echo(f"The sandbox is ready: open {url} in a browser. Ctrl-C stops it.")
