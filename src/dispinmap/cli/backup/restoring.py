"""`dispinmap backup restore`: restore the backup to a file, or replace the database with it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispinmap import log
from dispinmap.backup.copying import restore_checked
from dispinmap.backup.errors import BackupError
from dispinmap.backup.freshness import staleness
from dispinmap.backup.inspection import Inspection
from dispinmap.backup.lease.open import read_lease
from dispinmap.backup.place import open_place
from dispinmap.backup.replacing import Replaced, Replacement, replace_database
from dispinmap.backup.validation import age
from dispinmap.backup.versions import refuse_mixed_formats
from dispinmap.cli.backup.options import At, moment
from dispinmap.clock import SystemClock
from dispinmap.settings import BackupSettings


def restore(
    *,
    at: At = None,
    to: Annotated[Path | None, typer.Option(help="A file to write; it must not exist.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Replace the database without asking.")] = False,
) -> None:
    """Restore the backup: to a file, or as the database. The previous database is kept under another name."""
    log.configure("WARNING", "console")
    settings, wanted = BackupSettings.load(), moment(at, SystemClock().now())
    if to is not None:
        _require_free(to)
        copy, stale = asyncio.run(_to_file(settings, wanted, to))
        typer.echo(f"Restored to {to} and checked. {_moment(copy, wanted)}")
        if stale is not None:
            typer.echo(stale, err=True)
            raise typer.Exit(1)
        return
    done = asyncio.run(_in_place(settings, wanted, yes=yes))
    if done is None:
        typer.echo("Nothing was changed.")
        raise typer.Exit(1)
    typer.echo(f"The database is restored and checked. {_moment(done.copy, wanted)} The next start goes on from there.")
    if done.kept is not None:
        typer.echo(f"The previous database is now {done.kept}; delete it when you no longer need it.")


def _require_free(file: Path) -> None:
    if file.exists():
        raise BackupError(f"{file} already exists: name another file.")
    if not file.parent.is_dir():
        raise BackupError(f"There is no folder {file.parent}: create it, or name another file.")


async def _to_file(settings: BackupSettings, at: datetime | None, file: Path) -> tuple[Inspection, str | None]:
    """The copy and, without `at`, why it is not the newest state or may not be."""
    clock = SystemClock()
    place = await open_place(settings, clock)
    await refuse_mixed_formats(place.configuration, place.store)
    lease, doubt = None, None
    if at is None:
        try:
            lease = await read_lease(place.configuration.replica, place.store)
        except BackupError as error:
            # People who need the data get it anyway.
            doubt = f"It may not be the newest state, because the lease cannot be read: {error}"
    copy = await restore_checked(place, file, clock=clock, seconds=settings.restore_timeout_seconds, at=at)
    stale = staleness(copy, lease)
    return copy, doubt if stale is None else f"It is not the newest state. {stale}"


async def _in_place(settings: BackupSettings, at: datetime | None, *, yes: bool) -> Replaced | None:
    clock = SystemClock()
    place = await open_place(settings, clock)
    await refuse_mixed_formats(place.configuration, place.store)

    def agreed(replacement: Replacement) -> bool:
        _show(replacement, clock.now())
        return yes or typer.confirm("Replace the database with the copy?")

    return await replace_database(place, clock, agreed=agreed, at=at, seconds=settings.restore_timeout_seconds)


def _show(replacement: Replacement, now: datetime) -> None:
    present, copy = replacement.present or Inspection(), replacement.copy
    table = Table("", "The database now", "The copy")
    table.add_row("revision", present.revision or "–", copy.revision)
    table.add_row("heartbeat", _heartbeat(present, now), _heartbeat(copy, now))
    for name in sorted({*present.rows, *copy.rows}):
        before, after = present.rows.get(name, 0), copy.rows.get(name, 0)
        table.add_row(f"{name}, rows", str(before), Text(str(after), style="yellow" if before != after else ""))
    console = Console()
    console.print(table)
    for sentence in (*present.problems, replacement.stale):
        if sentence:
            console.print(Text(sentence, style="yellow"), soft_wrap=True)


def _heartbeat(copy: Inspection, now: datetime) -> str:
    beat = copy.heartbeat
    return f"{beat.beat_at:%Y-%m-%d %H:%M:%S} UTC, {age(now - beat.beat_at)} ago" if beat else "–"


def _moment(copy: Inspection, at: datetime | None) -> str:
    asked = f" You asked for {at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC." if at else ""
    if copy.heartbeat is None:
        return f"It has no heartbeat, so we cannot tell how old it is.{asked}"
    return f"Its last heartbeat is from {copy.heartbeat.beat_at:%Y-%m-%d %H:%M:%S} UTC.{asked}"
