"""`dispinmap run`: the bot without a backup."""

import typer

from dispinmap.cli import launching

app = typer.Typer(add_completion=False)


@app.command()
def run() -> None:
    """Run the bot without a backup. It reads its settings from the environment and from .env."""
    launching.run()
