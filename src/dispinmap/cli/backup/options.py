"""Options and output that several commands share."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

At = Annotated[
    str | None,
    typer.Option(
        metavar="TIME", help='The state at this time, such as "2026-03-01 12:00" (UTC) or 2026-03-01T12:00:00+01:00.'
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def moment(text: str | None, now: datetime) -> datetime | None:
    """The time that `text` means; without an offset it is UTC. Raises typer.BadParameter."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f'“{text}” is not a time: write "2026-03-01 12:00" (UTC).', param_hint="--at"
        ) from None
    if found > now:
        raise typer.BadParameter(f"{text} is in the future: it is {now:%Y-%m-%d %H:%M} UTC now.", param_hint="--at")
    return found
