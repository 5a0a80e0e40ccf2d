"""`dispinmap db`: looking after the database by hand, with the code that the bot runs at its start."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from rich.text import Text

from dispinmap import log
from dispinmap.cli.adopt import adopt
from dispinmap.clock import SystemClock
from dispinmap.database import copies
from dispinmap.database.chain import scripts
from dispinmap.database.errors import DatabaseError
from dispinmap.database.lock import keep_others_out
from dispinmap.database.progress import Progress
from dispinmap.database.revisions import head
from dispinmap.database.upgrade import downgrade as run_downgrade
from dispinmap.database.upgrade import upgrade as run_upgrade
from dispinmap.database.useful import QUERIES, Answer, answer
from dispinmap.database.verify import missing, notes, revision
from dispinmap.database.verify import verify as run_checks
from dispinmap.settings import DatabaseSettings

app = typer.Typer(help="Look after the database.", no_args_is_help=True, add_completion=False)

Url = Annotated[
    str | None,
    typer.Option(
        help="A database such as sqlite:///copy.db, instead of SQLALCHEMY_URL, LITESTREAM_PATH or DATABASE_PATH."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]


class _Shown:
    """Shows a progress bar per step on standard error, because standard output is for the answer."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, progress: Progress) -> None:
        if progress.step not in self._tasks:
            self._tasks[progress.step] = self._bar.add_task(progress.step)
        self._bar.update(self._tasks[progress.step], completed=progress.done, total=progress.total)


def _bar(*, as_json: bool) -> Bar:
    columns = (TextColumn("{task.description:<18}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Bar(*columns, console=Console(stderr=True), disable=as_json)


@app.command()
def upgrade(*, url: Url = None, as_json: AsJson = False) -> None:
    """Bring the database to the schema this version needs, after copying it. The bot does the same at its start."""
    address = _address(url, changing=True)
    before = revision(address)
    with keep_others_out(address), _bar(as_json=as_json) as bar:
        run_upgrade(address, progress=_Shown(bar))
    _tell(
        f"The database is at {head()} and was checked.",
        as_json=as_json,
        before=before,
        after=head(),
        changed=before != head(),
    )


# Otherwise "-1" would be read as an option.
@app.command(context_settings={"ignore_unknown_options": True})
def downgrade(
    to: Annotated[str, typer.Argument(metavar="REVISION", help="A revision, or -1 for the one before.")],
    *,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Take the schema back, after copying the database. Data that only the newer schema can hold is lost from it."""
    address = _address(url, changing=True)
    before = revision(address)
    with keep_others_out(address), _bar(as_json=as_json) as bar:
        run_downgrade(address, to, progress=_Shown(bar))
    after = revision(address)
    _tell(f"The database went from {before} to {after}.", as_json=as_json, before=before, after=after)


@app.command()
def current(*, url: Url = None, as_json: AsJson = False) -> None:
    """Say which revision the database is at."""
    found = revision(_address(url))
    needed = "that is what this version needs" if found == head() else f"this version needs {head()}"
    here = f"at {found}" if found else "not there yet, or without a revision"
    _tell(f"The database is {here}; {needed}.", as_json=as_json, revision=found, head=head())


@app.command()
def history(*, url: Url = None, as_json: AsJson = False) -> None:
    """List every revision, the newest first."""
    here = revision(_address(url))
    chain = list(scripts().walk_revisions())
    if as_json:
        return _print_json(
            [{"revision": each.revision, "what": each.doc, "current": each.revision == here} for each in chain]
        )
    table = Table("Revision", "What it does")
    for each in chain:
        is_here = " (the database is here)" if each.revision == here else ""
        table.add_row(
            Text(each.revision, style="green" if is_here else ""), Text(f"{each.doc.splitlines()[0]}{is_here}")
        )
    return Console().print(table)


@app.command()
def verify(*, url: Url = None, as_json: AsJson = False) -> None:
    """Compare the schema with what this version needs, and check the file. Exits with 1 if anything is wrong."""
    address = _address(url)
    with _bar(as_json=as_json) as bar:
        problems = run_checks(address, progress=_Shown(bar))
    remarks = [] if problems else notes(address)
    if as_json:
        _print_json({"problems": problems, "notes": remarks})
    else:
        _show_findings(problems, remarks)
    if problems:
        raise typer.Exit(1)


@app.command()
def backup(
    file: Annotated[
        Path | None, typer.Argument(help="The copy's file. Default: beside the database, with the time in its name.")
    ] = None,
    *,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Copy the database, even while the bot uses it. The copy is complete and checked, or not there."""
    address = _address(url)
    source = copies.sqlite_file(address)
    if source is None or missing(address):
        raise DatabaseError("Only an existing SQLite file can be copied: check the path, or use the server's own tool.")
    target = file or source.with_name(f"{source.name}.{_stamp(SystemClock().now())}")
    if target.exists():
        raise DatabaseError(f"{target} exists already: name another file.")
    with _bar(as_json=as_json) as bar:
        copies.copy_database(source, target, _Shown(bar))
    _tell(
        f"The database was copied to {target} and checked.",
        as_json=as_json,
        file=str(target),
        bytes=target.stat().st_size,
    )


@app.command()
def queries(
    name: Annotated[str | None, typer.Argument(help="A query's name. Default: list the queries.")] = None,
    *,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Run one of the built-in queries."""
    found = _questions() if name is None else answer(_address(url), name)
    if as_json:
        return _print_json([dict(zip(found.columns, row, strict=True)) for row in found.rows])
    table = Table(*found.columns)
    for row in found.rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row))
    return Console().print(table)


app.command()(adopt)


def _questions() -> Answer:
    return Answer(["name", "what it tells"], [[name, query.question] for name, query in QUERIES.items()])


def _address(url: str | None, *, changing: bool = False) -> str:
    """The URL of the database to use. Also sets up the log, so that a change shows its progress."""
    log.configure("INFO" if changing else "WARNING", "console")
    return url or DatabaseSettings.load().database_url


def _stamp(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _tell(sentence: str, *, as_json: bool, **facts: object) -> None:
    if as_json:
        _print_json(facts)
    else:
        typer.echo(sentence)


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def _show_findings(problems: list[str], remarks: list[str]) -> None:
    console = Console()
    for sentence in problems:
        console.print(Text(f"✗ {sentence}", style="red"), soft_wrap=True)
    for sentence in remarks:
        console.print(Text(f"• {sentence}", style="yellow"), soft_wrap=True)
    if not problems:
        console.print(Text("✓ The database is as this version needs it.", style="green"))
