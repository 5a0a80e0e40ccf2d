"""`dispinmap backup ...`: look at the backup, prove it, and get the data back."""

import typer

from dispinmap.cli.backup.config import config

app = typer.Typer(help="Look at the backup, prove it, and get the data back.", no_args_is_help=True)

app.command()(config)
