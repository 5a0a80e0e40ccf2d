"""`dispinmap db adopt`: take over another database."""

import asyncio
import json
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispinmap import log
from dispinmap.clock import SystemClock
from dispinmap.database.adopt.adoption import Adopter
from dispinmap.database.adopt.report import AdoptionReport, Fate
from dispinmap.database.lock import keep_others_out
from dispinmap.geocoding.client import GeocodingClient
from dispinmap.http import open_session
from dispinmap.settings import GEOCODING_API_BASE, DatabaseSettings, base_url, read_by

_COLOURS = {Fate.SAME: "green", Fate.FOUND: "green", Fate.MERGED: "cyan", Fate.MARKED: "yellow"}


@dataclass(frozen=True, kw_only=True)
class _Settings(DatabaseSettings):
    """Without Discord's token, because adopting a database does not need it."""

    geocoding_api_base: str = field(default=GEOCODING_API_BASE, metadata=read_by(base_url))


def adopt(
    file: Annotated[Path, typer.Argument(help="The database to take over. It is never changed.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would happen, and write nothing.")] = False,
    geocoding: Annotated[bool, typer.Option(help="Look up cities that lost their coordinates, or mark them.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    into: Annotated[str | None, typer.Option(help="The bot's database, such as sqlite:///pinball_bot.db.")] = None,
) -> None:
    """Take over a database of the original bot, or another one of this bot."""
    settings = _Settings.load()
    log.configure("ERROR", "console")
    geocoder_base = settings.geocoding_api_base if geocoding else None
    target = into or settings.database_url
    with nullcontext() if dry_run else keep_others_out(target):
        report = asyncio.run(_adopt(file, target, geocoder_base, dry_run=dry_run))
    if as_json:
        typer.echo(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
    else:
        _show(report, Console())


async def _adopt(file: Path, into: str, geocoder_base: str | None, *, dry_run: bool) -> AdoptionReport:
    async with open_session() as session:
        geocoder = GeocodingClient(session, geocoder_base, SystemClock()) if geocoder_base else None
        with Console(stderr=True).status("Reading, and looking up lost cities (one a second) …"):
            return await Adopter(geocoder).adopt(file, into, dry_run=dry_run)


def _show(report: AdoptionReport, console: Console) -> None:
    console.print(f"{report.file} is {report.shape}.", soft_wrap=True, markup=False)
    table = Table("Old id", "Channel", "Was", "Becomes", "How", "New id", "Note")
    for row in report.targets:
        how = Text(row.fate, style=_COLOURS[row.fate])
        texts = (str(row.old_id), str(row.channel_id), row.was, row.becomes)
        table.add_row(*map(Text, texts), how, Text(str(row.new_id)), Text(row.note))
    console.print(table)
    for line in summary(report):
        console.print(line, soft_wrap=True, markup=False)


def summary(report: AdoptionReport) -> list[str]:
    """The sentences below the table."""
    counts = ", ".join(f"{count} {fate}" for fate, count in report.counts.items() if count) or "none"
    lines = [
        f"Targets: {len(report.targets)} ({counts}). None is lost.",
        f"Channels: {report.channels}, of which {report.new_channels} new. Seen submissions: {report.seen}.",
    ]
    if report.litestream:
        lines.append("Litestream's own tables were left out: Litestream makes them again.")
    if report.counts[Fate.MARKED]:
        lines.append("Marked targets are not watched. The notes above say what to do, and so does the channel's /list.")
    wrote = "Nothing was written: run it again without --dry-run." if report.dry_run else f"Written to {report.into}."
    return [*lines, wrote]
