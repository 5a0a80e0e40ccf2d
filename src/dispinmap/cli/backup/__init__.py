"""`dispinmap backup ...`: inspect the backup, test it, and get the data back."""

import typer

from dispinmap.cli.backup.config import config
from dispinmap.cli.backup.listing import list_points
from dispinmap.cli.backup.litestream03 import fetch, upgrade_format
from dispinmap.cli.backup.restoring import restore
from dispinmap.cli.backup.validating import drill, validate

app = typer.Typer(
    help="Inspect the backup, test it, and get the data back.", no_args_is_help=True, add_completion=False
)

app.command()(config)
app.command("list")(list_points)
app.command()(restore)
app.command()(validate)
app.command()(drill)
app.command()(fetch)
app.command("upgrade-format")(upgrade_format)
