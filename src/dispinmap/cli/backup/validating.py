"""`dispinmap backup validate` and `drill`: prove that the backup can be restored."""

import asyncio
from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from dispinmap import log
from dispinmap.backup.drill import drill as run_drill
from dispinmap.backup.place import open_place
from dispinmap.backup.validation import Check, State, is_good
from dispinmap.backup.validation import validate as run_validation
from dispinmap.cli.backup.options import AsJson, print_json
from dispinmap.clock import SystemClock
from dispinmap.health import DrillState
from dispinmap.settings import BackupSettings

_COLOURS = {State.GOOD: "green", State.NOTE: "yellow", State.FAILED: "red", State.SKIPPED: "dim"}


def validate(*, as_json: AsJson = False) -> None:
    """Check everything from the settings to a restored temporary copy. Exits with 1 if anything failed."""
    log.configure("ERROR", "console")
    checks = asyncio.run(run_validation(BackupSettings.load(), SystemClock()))
    good = is_good(checks)
    if as_json:
        print_json({"good": good, "checks": [asdict(each) for each in checks]})
    else:
        _show(checks)
        typer.echo("The backup is good." if good else "The backup is not proven: see which checks failed.")
    if not good:
        raise typer.Exit(1)


def drill(*, as_json: AsJson = False) -> None:
    """Restore the backup now, as the bot does on a schedule, and compare it with the live database."""
    log.configure("ERROR", "console")
    state = asyncio.run(_drill(BackupSettings.load()))
    if as_json:
        print_json(asdict(state))
    elif state.problem is None:
        typer.echo(f"The drill passed: restored in {state.restore_seconds:.1f} s, and the same as the live database.")
    else:
        typer.echo(f"The drill failed. {state.problem}")
    if state.problem is not None:
        raise typer.Exit(1)


async def _drill(settings: BackupSettings) -> DrillState:
    clock = SystemClock()
    place = await open_place(settings, clock)
    return await run_drill(place, clock, seconds=settings.restore_timeout_seconds)


def _show(checks: list[Check]) -> None:
    table = Table("Check", "", "Result")
    for each in checks:
        table.add_row(each.name, Text(each.state, style=_COLOURS[each.state]), Text(each.sentence))
    Console().print(table)
