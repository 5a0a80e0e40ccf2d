"""What happened before the sandbox started: past submissions that fit today's line-ups."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count, islice

from dispinmap.pinballmap.models import SubmissionType
from dispinmap_sandbox.facts import Facts, Machine, Venue
from dispinmap_sandbox.submissions import Person, SubmissionRow, sentence

_PATTERN = (
    SubmissionType.NEW_LMX,
    SubmissionType.NEW_CONDITION,
    SubmissionType.REMOVE_MACHINE,
    SubmissionType.NEW_CONDITION,
    SubmissionType.NEW_LMX,
    SubmissionType.CONFIRM_LOCATION,
    SubmissionType.REMOVE_MACHINE,
    SubmissionType.NEW_MSX,
    SubmissionType.NEW_CONDITION,
)


@dataclass(frozen=True, slots=True)
class _Step:
    """One submission to make up: its time, venue and author. `number` counts from 0, the newest."""

    number: int
    created_at: datetime
    venue: Venue
    user: Person


def past_submissions(
    facts: Facts, people: tuple[Person, ...], *, how_many: int, before: datetime, last_id: int
) -> list[SubmissionRow]:
    """Make up `how_many` submissions, newest first. The newest is `last_id`, a few minutes before `before`.

    There are about 330 a day, as in the real feed (API.md), in visits: one person reports a few things at one venue.
    The result is the same every time. We go back in time from today's line-ups, so that no machine is removed from a
    venue that did not have it.
    """
    lineups = {venue.id: list(venue.machine_ids) for venue in facts.venues}
    catalog = {machine.id: machine for machine in facts.machines}
    return [
        _undo(step, last_id - step.number, lineups[step.venue.id], catalog, facts.comments)
        for step in islice(_steps(facts.venues, people, before), how_many)
    ]


def _steps(venues: tuple[Venue, ...], people: tuple[Person, ...], before: datetime) -> Iterator[_Step]:
    """Visits without end, latest first. 7 and 5 share no factor with the lists' lengths, so all entries get a turn."""
    number = 0
    for visit in count():
        venue, user = venues[visit * 7 % len(venues)], people[visit * 5 % len(people)]
        for report in range(1 + visit % 3):
            pause = 120 + visit * 461 % 640 if report == 0 else 40 + number * 37 % 80
            before -= timedelta(seconds=pause)
            yield _Step(number, before, venue, user)
            number += 1


def _undo(
    step: _Step, submission_id: int, lineup: list[int], catalog: dict[int, Machine], comments: tuple[str, ...]
) -> SubmissionRow:
    """Make up the latest report, and put the line-up back to what it was before."""
    kind = _PATTERN[step.number % len(_PATTERN)]
    if kind is SubmissionType.NEW_LMX and len(lineup) == 1:
        kind = SubmissionType.NEW_CONDITION
    machine = _machine(kind, step.number, lineup, catalog)
    comment = comments[step.number * 5 % len(comments)] if kind is SubmissionType.NEW_CONDITION else None
    score = 1_000_000 + step.number * 7_654_321 % 900_000_000 if kind is SubmissionType.NEW_MSX else None
    text = sentence(kind, step.venue, step.user, machine, comment, score)
    return SubmissionRow(submission_id, kind, text, step.created_at, step.user, step.venue, machine, comment, score)


def _machine(kind: SubmissionType, number: int, lineup: list[int], catalog: dict[int, Machine]) -> Machine | None:
    match kind:
        case SubmissionType.CONFIRM_LOCATION:
            return None
        case SubmissionType.NEW_LMX:
            # The case below appends, so taking from the front half leaves a machine in place for a while.
            return catalog[lineup.pop(number * 11 % ((len(lineup) + 1) // 2))]
        case SubmissionType.REMOVE_MACHINE:
            absent = sorted(catalog.keys() - set(lineup))
            lineup.append(absent[number * 13 % len(absent)])
            return catalog[lineup[-1]]
        case _:
            return catalog[lineup[number * 3 % len(lineup)]]
