"""`dispinmap backup config`: show Litestream's configuration, or check it."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from dispinmap import log
from dispinmap.backup.configuration.checking import check as find_problems
from dispinmap.backup.configuration.effective import read_file, variables
from dispinmap.backup.configuration.findings import Finding, Severity, error
from dispinmap.backup.configuration.schema import masked
from dispinmap.backup.errors import BackupError
from dispinmap.backup.litestream.binary import find_litestream
from dispinmap.backup.models import Configuration, Format
from dispinmap.backup.place import database_file, load_configuration
from dispinmap.backup.storage.open import open_store
from dispinmap.backup.versions import refuse_mixed_formats
from dispinmap.cli.backup.options import AsJson, print_json
from dispinmap.clock import SystemClock
from dispinmap.settings import BackupSettings


def config(
    file: Annotated[
        Path | None, typer.Argument(help="A Litestream configuration file; default: the configuration in effect.")
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="List what is wrong. Exits with 1 if there is an error.")
    ] = False,
    version: Annotated[
        Format | None, typer.Option("--for", help="The version of Litestream; default: the installed one.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the configuration that Litestream gets, without credentials, or check it."""
    log.configure("WARNING", "console")
    settings = BackupSettings.load()
    if file is not None:
        settings = replace(settings, litestream_config=file)
    wanted = version or asyncio.run(find_litestream(settings.litestream_bin, SystemClock())).format
    if not check:
        return _show(load_configuration(settings, wanted), as_json=as_json)
    findings = _findings(settings, wanted, looking=file is None and version is None)
    if as_json:
        print_json([asdict(each) for each in findings])
    else:
        _tell(findings, wanted)
    if any(each.severity is Severity.ERROR for each in findings):
        raise typer.Exit(1)
    return None


def _findings(settings: BackupSettings, version: Format, *, looking: bool) -> list[Finding]:
    """What is wrong with the file, and with `looking` also whether the storage has data of the other version."""
    found: list[Finding] = []
    if settings.litestream_config is not None:
        database = database_file(settings)
        environ = variables(os.environ, database, settings.litestream_bucket)
        found = find_problems(read_file(settings.litestream_config), version, environ, database)
    if any(each.severity is Severity.ERROR for each in found):
        return found
    effective = load_configuration(settings, version)
    if looking:
        try:
            asyncio.run(refuse_mixed_formats(effective, open_store(effective.replica)))
        except BackupError as problem:
            found.append(error("the storage", str(problem), ""))
    return found


def _show(effective: Configuration, *, as_json: bool) -> None:
    document = masked(effective.document)
    if as_json:
        print_json(document)
    else:
        typer.echo(f"# From {effective.source}, for Litestream {effective.format}.")
        typer.echo(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), nl=False)


def _tell(findings: Sequence[Finding], version: Format) -> None:
    console = Console()
    if not findings:
        console.print(Text(f"✓ Litestream {version} does what the configuration says.", style="green"))
        return
    table = Table("", Column("Where", overflow="fold"), "What is wrong", "What to do")
    for each in findings:
        style = "red" if each.severity is Severity.ERROR else "yellow"
        table.add_row(Text(each.severity, style=style), *map(Text, (each.where, each.sentence, each.cure)))
    console.print(table)
