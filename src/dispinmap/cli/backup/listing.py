"""`dispinmap backup list`: which states could be restored, and who holds the backup."""

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispinmap import log
from dispinmap.backup.lease.open import lease_sentence, read_lease
from dispinmap.backup.models import RestorePoint
from dispinmap.backup.place import BackupPlace, open_place, stored_points
from dispinmap.backup.validation import age
from dispinmap.cli.backup.options import AsJson, print_json
from dispinmap.clock import SystemClock
from dispinmap.settings import BackupSettings

SHOWN = 20


def list_points(
    *,
    everything: Annotated[bool, typer.Option("--all", help=f"List all of them, not just the newest {SHOWN}.")] = False,
    as_json: AsJson = False,
) -> None:
    """List what can be restored, newest first, and say which bot holds the lease."""
    log.configure("WARNING", "console")
    place, points, lease = asyncio.run(_look(BackupSettings.load()))
    if as_json:
        found = {
            "replica": str(place.configuration.replica),
            "points": [asdict(each) for each in points],
            "lease": lease,
        }
        return print_json(found)
    typer.echo(f"{place.configuration.replica}, read with Litestream {place.litestream.version}:")
    shown = points if everything else points[:SHOWN]
    typer.echo(_summary(points) if points else "Nothing is stored there yet.")
    if points:
        Console().print(_table(shown, SystemClock().now()))
    if len(shown) < len(points):
        typer.echo(f"… and {len(points) - len(shown)} older ones; use --all to see them.")
    return typer.echo(lease)


async def _look(settings: BackupSettings) -> tuple[BackupPlace, list[RestorePoint], str]:
    clock = SystemClock()
    place = await open_place(settings, clock)
    # Read the lease first: if the storage does not answer, this fails within seconds, Litestream only after minutes.
    lease = await read_lease(place.configuration.replica, place.store)
    points = await stored_points(place, settings.restore_timeout_seconds)
    return place, points, lease_sentence(place.configuration.replica, lease, clock.now())


def _summary(points: list[RestorePoint]) -> str:
    snapshots = sum(point.kind == "snapshot" for point in points)
    first, last = (f"{points[each].created_at:%Y-%m-%d %H:%M:%S}" for each in (-1, 0))
    size = sum(point.size for point in points)
    return f"From {first} to {last} UTC: snapshots {snapshots}, changes {len(points) - snapshots}, bytes {size:,}."


def _table(points: list[RestorePoint], now: datetime) -> Table:
    table = Table("Generation", "What", "Position", "Stored (UTC)", "Age")
    table.add_column("Bytes", justify="right")
    for point in points:
        texts = (point.generation or "–", point.kind, point.position, f"{point.created_at:%Y-%m-%d %H:%M:%S}")
        table.add_row(*map(Text, (*texts, age(now - point.created_at), f"{point.size:,}")))
    return table
