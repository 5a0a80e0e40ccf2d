"""`dispinmap backup fetch` and `upgrade-format`: download a backup of Litestream 0.3, or copy it to 0.5's format."""

import asyncio
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import quote, urlsplit

import typer

from dispinmap import log
from dispinmap.backup.inspection import Inspection, inspect_file
from dispinmap.backup.litestream03.fetch import Fetched
from dispinmap.backup.litestream03.fetch import fetch as fetch_from
from dispinmap.backup.litestream03.upgrade_format import Upgraded, both_paths
from dispinmap.backup.litestream03.upgrade_format import upgrade_format as run_upgrade
from dispinmap.backup.models import Format, Replica, StorageKind
from dispinmap.backup.place import BackupPlace, load_configuration, open_place
from dispinmap.backup.storage.open import open_store
from dispinmap.cli.backup.options import AsJson, At, moment, print_json
from dispinmap.clock import SystemClock
from dispinmap.errors import SettingsError
from dispinmap.settings import BackupSettings

_COPY_COMMANDS: Final = {StorageKind.GCS: "gsutil cp", StorageKind.S3: "aws s3 cp", StorageKind.FILE: "cp"}


def fetch(
    *,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="URL", help="A replica, such as gs://bucket/db; default: the configured one."),
    ] = None,
    to: Annotated[Path, typer.Option(help="The file to write; it must not exist.")] = Path("production_backup.db"),
    at: At = None,
    generation: Annotated[
        str | None, typer.Option(metavar="ID", help="The generation to fetch; default: the newest.")
    ] = None,
    snapshot_only: Annotated[
        bool, typer.Option("--snapshot-only", help="Leave out everything after the snapshot, which can be torn.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Download a complete backup that Litestream 0.3 wrote, of any bot, without Litestream."""
    log.configure("WARNING", "console")
    settings, wanted = BackupSettings.load(), moment(at, SystemClock().now())
    replica = _replica(settings, from_)
    fetched, copy = asyncio.run(_fetch(replica, to, wanted, generation, snapshot_only=snapshot_only))
    if as_json:
        return print_json(_facts(replica, to, fetched, copy))
    for line in _fetch_lines(replica, to, fetched, copy):
        typer.echo(line)
    return None


def _replica(settings: BackupSettings, url: str | None) -> Replica:
    """The replica at `url`, with credentials from the environment, or the configured replica."""
    if not (url or settings.litestream_config or settings.litestream_replica_url or settings.litestream_bucket):
        raise SettingsError("Nothing says which backup to fetch: name it, such as --from gs://bucket/db.")
    if url is None:
        return load_configuration(settings, Format.V0_3).replica
    alone = replace(settings, litestream_config=None, litestream_replica_url=url)
    try:
        return load_configuration(alone, Format.V0_3).replica
    except SettingsError as error:
        sentence = str(error).removeprefix("LITESTREAM_REPLICA_URL is malformed. ")
        raise typer.BadParameter(sentence, param_hint="--from") from None


async def _fetch(
    replica: Replica, to: Path, at: datetime | None, generation: str | None, *, snapshot_only: bool
) -> tuple[Fetched, Inspection]:
    store = open_store(replica)
    fetched = await fetch_from(store, replica, to, at=at, generation=generation, snapshot_only=snapshot_only)
    return fetched, await asyncio.to_thread(inspect_file, to, integrity=False)


def _facts(replica: Replica, to: Path, fetched: Fetched, copy: Inspection) -> dict[str, object]:
    return {
        "replica": str(replica),
        "file": str(to),
        "generation": fetched.plan.generation,
        "snapshot": fetched.plan.snapshot.stored.key,
        "segments": fetched.segments,
        "stored_at": fetched.stored_at,
        "revision": copy.revision,
        "rows": copy.rows,
        "heartbeat_at": copy.heartbeat.beat_at if copy.heartbeat else None,
        "warnings": [*filter(None, [fetched.warning]), *copy.problems],
    }


def _fetch_lines(replica: Replica, to: Path, fetched: Fetched, copy: Inspection) -> list[str]:
    plan = fetched.plan
    made_of = f"snapshot {plan.snapshot.index:08x} and {fetched.segments} log segments"
    lines = [
        f"Fetched {replica} to {to} and checked it: generation {plan.generation}, {made_of}.",
        f"Its newest part was stored at {fetched.stored_at:%Y-%m-%d %H:%M:%S} UTC.",
        f"It is at revision {copy.revision}." if copy.revision else "It has none of the bot's revisions.",
        *(f"{name}: {count} rows" for name, count in sorted(copy.rows.items())),
    ]
    if copy.heartbeat is not None:
        lines.append(f"Its last heartbeat is from {copy.heartbeat.beat_at:%Y-%m-%d %H:%M:%S} UTC.")
    if fetched.warning is not None:
        lines += [
            f"Warning: {fetched.warning}",
            "To do the same by hand:",
            *_by_hand(replica, to, plan.snapshot.stored.key),
        ]
    lines += [f"Warning: {problem}" for problem in copy.problems]
    return [*lines, f"Next: `dispinmap db adopt {to}` adopts it as the bot's database."]


def _by_hand(replica: Replica, to: Path, key: str) -> list[str]:
    scheme = {StorageKind.GCS: "gs://", StorageKind.S3: "s3://"}.get(replica.kind)
    address = key if scheme is None else f"{scheme}{replica.bucket}/{key}"
    return [
        f"  {_COPY_COMMANDS[replica.kind]} {address} production_snapshot.lz4",
        f"  lz4 -d production_snapshot.lz4 {to}",
    ]


def upgrade_format(*, yes: Annotated[bool, typer.Option("--yes", help="Begin without asking.")] = False) -> None:
    """Copy the backup of Litestream 0.3 to the format of the installed 0.5, at a path beside it, and verify it."""
    log.configure("WARNING", "console")
    settings = BackupSettings.load()
    upgraded = asyncio.run(_upgrade(settings, yes=yes))
    if upgraded is None:
        typer.echo("Nothing was changed.")
        raise typer.Exit(1)
    for line in _upgrade_lines(settings, upgraded):
        typer.echo(line)


async def _upgrade(settings: BackupSettings, *, yes: bool) -> Upgraded | None:
    place = await open_place(settings, SystemClock())
    if not yes and not await _confirmed(place):
        return None
    return await run_upgrade(place, seconds=settings.restore_timeout_seconds)


async def _confirmed(place: BackupPlace) -> bool:
    old, new = await both_paths(place.configuration.replica, place.store)
    typer.echo(f"This copies {old} to {new}. Stop the bot first. The old backup stays as it is.")
    return typer.confirm("Begin?")


def _upgrade_lines(settings: BackupSettings, upgraded: Upgraded) -> list[str]:
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
