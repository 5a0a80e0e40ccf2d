"""Taking over another database, completely or not at all."""

import asyncio
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog
from alembic.util import CommandError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from dispinmap.database.adopt import contents, snapshot
from dispinmap.database.adopt.cities import Found, Geocoder, locate
from dispinmap.database.adopt.plan import plan
from dispinmap.database.adopt.report import AdoptionReport, Outcome, report_rows
from dispinmap.database.adopt.rows import Draft
from dispinmap.database.adopt.shapes import Shape
from dispinmap.database.adopt.staging import Source, Staged, examine, stage
from dispinmap.database.copies import sqlite_file
from dispinmap.database.engine import Database
from dispinmap.database.errors import DatabaseError
from dispinmap.database.queries import seen
from dispinmap.database.upgrade import upgrade
from dispinmap.database.verify import broken_references

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Written:
    """What one import did; see `Outcome`."""

    outcome: Outcome
    channels: int
    new_channels: int
    seen: int


class Adopter:
    """Reads a file without changing it, and writes its contents into the bot's database in one transaction."""

    def __init__(self, geocoder: Geocoder | None) -> None:
        """Without a geocoder, cities that lost their coordinates are not looked up but marked."""
        self._geocoder = geocoder

    async def adopt(self, file: Path, into: str, *, dry_run: bool = False) -> AdoptionReport:
        """`into` is a synchronous SQLAlchemy URL; its database is created or upgraded first, as at the bot's start.

        A dry run works on a copy of it and reports the same. If this raises DatabaseError, nothing was imported.
        """
        _require_another(file, into)
        with TemporaryDirectory(prefix="dispinmap-adopt-") as folder:
            try:
                report = await self._adopt(file, into, Path(folder), dry_run=dry_run)
            except CommandError as error:
                raise DatabaseError(f"{file} cannot be brought to this version: {error}") from error
            except (DBAPIError, sqlite3.Error) as error:
                cause = error.orig if isinstance(error, DBAPIError) else error
                raise DatabaseError(
                    f"{file} was not adopted, and nothing was written ({cause}): check that the bot is stopped and "
                    "that its database is writable, then try again."
                ) from error
        if not dry_run:
            _log.info(
                "database_adopted", shape=report.shape.name, targets=len(report.targets), channels=report.channels
            )
        return report

    async def _adopt(self, file: Path, into: str, folder: Path, *, dry_run: bool) -> AdoptionReport:
        copy = await asyncio.to_thread(snapshot.take, file, folder)
        source = await asyncio.to_thread(examine, copy)
        drafts = source.drafts()
        found = await locate([one.lost_city for one in drafts if one.lost_city is not None], self._geocoder)
        staged = await asyncio.to_thread(stage, source, [_with_area(one, found) for one in drafts])
        url = await asyncio.to_thread(_rehearsal, into, folder) if dry_run else into
        await asyncio.to_thread(upgrade, url)
        written = await self._write(source, staged, url, {one.id: one for one in drafts}, found)
        return AdoptionReport(
            file=str(file),
            into=make_url(into).render_as_string(),
            shape=source.shape,
            litestream=source.has_litestream,
            dry_run=dry_run,
            channels=written.channels,
            new_channels=written.new_channels,
            seen=written.seen,
            targets=report_rows(source.targets, written.outcome),
        )

    async def _write(
        self, source: Source, staged: Staged, url: str, drafts: Mapping[int, Draft], found: Mapping[str, Found]
    ) -> _Written:
        from_, into = Database(staged.url), Database(url)
        try:
            async with from_.read() as theirs, into.write() as ours:
                return await _import(source, staged, theirs, ours, drafts, found)
        finally:
            await from_.close()
            await into.close()


async def _import(
    source: Source,
    staged: Staged,
    theirs: AsyncSession,
    ours: AsyncSession,
    drafts: Mapping[int, Draft],
    found: Mapping[str, Found],
) -> _Written:
    their_channels, our_channels = await contents.channels(theirs), await contents.channels(ours)
    adopted, existing = await contents.targets(theirs), await contents.targets(ours)
    steps = plan(
        [contents.known(row) for row in adopted.values()],
        their_channels,
        [contents.known(row) for row in existing.values()],
        our_channels,
    )
    theirs.expunge_all()
    await contents.add_channels(theirs, ours)
    new_ids = await contents.carry_out(ours, steps, adopted)
    await contents.add_seen(theirs, ours)
    if source.shape is Shape.OURS:
        await contents.add_outbox(theirs, ours, new_ids)
    outcome = Outcome(
        keys=staged.keys,
        survivors=adopted,
        new_ids=new_ids,
        merged_into_ours=frozenset(step.source_id for step in steps if step.into is not None),
        drafts=drafts,
        found=found,
    )
    pairs = await _check(theirs, ours, outcome)
    return _Written(outcome, len(their_channels), len(their_channels.keys() - our_channels.keys()), pairs)


async def _check(theirs: AsyncSession, ours: AsyncSession, outcome: Outcome) -> int:
    """Before the commit, check that every target, channel and seen pair is there. Returns the number of pairs."""
    ours.expunge_all()
    there = contents.keys((await contents.targets(ours)).values())
    lost = [id_ for id_, new_id in outcome.new_ids.items() if there.get(new_id) != outcome.keys[id_]]
    lost += sorted(outcome.survivors.keys() - outcome.new_ids.keys())
    missing = (await contents.channels(theirs)).keys() - (await contents.channels(ours)).keys()
    pairs = unseen = 0
    async for page in contents.seen_pairs(theirs):
        pairs += len(page)
        unseen += len(set(page) - await seen.seen(ours, page))
    problems = await (await ours.connection()).run_sync(broken_references)
    if lost or missing or unseen or problems:
        raise DatabaseError(
            f"Nothing was written, because targets {lost}, channels {sorted(missing)} and {unseen} seen submissions "
            f"would be lost. {' '.join(problems)} Please report this."
        )
    return pairs


def _with_area(one: Draft, found: Mapping[str, Found]) -> Draft:
    answer = found.get(one.lost_city or "")
    return one if answer is None or answer.area is None else one.found(answer.area)


def _require_another(file: Path, into: str) -> None:
    """Raises DatabaseError if the file is the bot's own database."""
    path = sqlite_file(into)
    if path is not None and path.exists() and file.exists() and path.samefile(file):
        raise DatabaseError(
            f"{file} is where the bot keeps its database, and a file that is adopted is never changed: move it away "
            f"(with its -wal, if there is one), such as to {file.with_name(f'{file.name}.old')}, and adopt that."
        )


def _rehearsal(into: str, folder: Path) -> str:
    """A copy of the bot's database to try the import on."""
    path = sqlite_file(into)
    if path is None:
        raise DatabaseError("A dry run needs an SQLite file as its destination: pass --into sqlite:///FILE.")
    rehearsal = folder / "rehearsal"
    rehearsal.mkdir()
    copy = snapshot.take(path, rehearsal) if path.exists() else rehearsal / "new.db"
    return f"sqlite:///{copy}"
