"""`dispinmap backup upgrade-format`: copy a backup from Litestream 0.3's format to 0.5's, without losing anything."""

import asyncio
from typing import Annotated
from urllib.parse import quote, urlsplit

import typer

from dispinmap import log
from dispinmap.backup.models import Replica, StorageKind
from dispinmap.backup.opening import open_place
from dispinmap.backup.place import Place
from dispinmap.backup.upgrade_format import Upgraded, both_paths
from dispinmap.backup.upgrade_format import upgrade_format as run_upgrade
from dispinmap.clock import SystemClock
from dispinmap.settings import BackupSettings


def upgrade_format(*, yes: Annotated[bool, typer.Option("--yes", help="Begin without asking.")] = False) -> None:
    """Copy the backup of Litestream 0.3 to the format of the installed 0.5, at a path beside it, and verify it."""
    log.configure("WARNING", "console")
    settings = BackupSettings.load()
    upgraded = asyncio.run(_upgrade(settings, yes=yes))
    if upgraded is None:
        typer.echo("Nothing was changed.")
        raise typer.Exit(1)
    for line in _told(settings, upgraded):
        typer.echo(line)


async def _upgrade(settings: BackupSettings, *, yes: bool) -> Upgraded | None:
    place = await open_place(settings, SystemClock())
    if not yes and not await _agreed(place):
        return None
    return await run_upgrade(place, seconds=settings.restore_timeout_seconds)


async def _agreed(place: Place) -> bool:
    old, new = await both_paths(place.configuration.replica, place.store)
    typer.echo(f"This copies {old} to {new}. Stop the bot first. The old backup stays as it is.")
    return typer.confirm("Begin?")


def _told(settings: BackupSettings, upgraded: Upgraded) -> list[str]:
    rows = sum(upgraded.copy.rows.values())
    return [
        f"Done and proven: a restore from {upgraded.new} gives the same {rows} rows as {upgraded.old}.",
        f"The newest part was stored at {upgraded.fetched.stored_at:%Y-%m-%d %H:%M:%S} UTC.",
        what_to_set(settings, upgraded.new),
        f"Keep {upgraded.old} for three days or more; it was not changed.",
    ]


def what_to_set(settings: BackupSettings, new: Replica) -> str:
    """What to set so that the bot uses the new path (pure)."""
    if settings.litestream_config is not None:
        return f"Next: set the replica's path in {settings.litestream_config} to {new.path} and start the bot."
    if settings.litestream_replica_url is None:
        return "Next: start the bot. There is nothing to set: with Litestream 0.5 LITESTREAM_BUCKET means the new path."
    url = urlsplit(settings.litestream_replica_url)
    path = new.path if new.kind is StorageKind.FILE else f"/{new.path}"
    address = url._replace(path=quote(path)).geturl() if url.scheme else path
    return f"Next: set LITESTREAM_REPLICA_URL={address} and start the bot."
