"""The sentences that the commands answer with (pure)."""

from collections.abc import Sequence

from dispinmap.discordbot.lines import short
from dispinmap.discordbot.markdown import clean, cut, escape, fit, length, safe
from dispinmap.geocoding.models import Place
from dispinmap.pinballmap.models import Location, Submission
from dispinmap.targets.kinds import DEFAULT_KINDS, Kinds, NotificationKind
from dispinmap.targets.models import (
    DEFAULT_POLL_RATE_MINUTES,
    KILOMETRES_PER_MILE,
    Area,
    Channel,
    Target,
    WatchedTarget,
)
from dispinmap.targets.service import Added, AddOutcome
from dispinmap.targets.transfer import ImportPlan, PlannedStep

MESSAGE_LIMIT = 2000
NAME_LIMIT = 100
OPTION_LIMIT = 100

NO_TARGETS = "This channel doesn’t watch anything yet. Start with `/add location`, `/add city` or `/add coordinates`."
NOTHING_TO_EXPORT = "There’s nothing to export: this channel doesn’t watch anything yet."
KIND_WORDS = {
    NotificationKind.MACHINES: "machines added and removed",
    NotificationKind.COMMENTS: "comments",
    NotificationKind.SCORES: "high scores",
    NotificationKind.CONFIRMATIONS: "confirmed line-ups",
    NotificationKind.PLACES: "places opened and closed",
    NotificationKind.ALL: "every kind of change",
}

_UNLESS_OWN = ", unless a target has its own setting."
_PERIODS = {1: "a minute", 60: "an hour", 24 * 60: "a day", 7 * 24 * 60: "a week"}


def label(target: Target) -> str:
    """What people call the target. A point without a name goes by its coordinates; its radius is shown beside them."""
    area = target.area
    if area is None or target.display_name:
        return target.label
    return str(Area(area.latitude, area.longitude)).replace(",", ", ")


def named(target: Target) -> str:
    """A target's name in bold, with its radius if it is an area."""
    bold = f"**{safe(label(target), NAME_LIMIT)}**"
    area = target.area
    return f"{bold} ({radius(area.radius)} around)" if area else bold


def radius(miles: float) -> str:
    """A radius in miles and kilometres, such as "25 mi / 40.2 km"."""
    return f"{tenths(miles)} mi / {tenths(miles * KILOMETRES_PER_MILE)} km"


def tenths(number: float) -> str:
    """With one decimal, or none if that is a zero."""
    return f"{number:.1f}".removesuffix(".0")


def at_most(minutes: int) -> str:
    """A poll rate, such as "at most once every 30 minutes"."""
    return f"at most once {_PERIODS.get(minutes) or f'every {minutes} minutes'}"


def added(result: Added, channel: Channel | None, lacking: Sequence[str] = ()) -> str:
    """The answer to an add: the target, kinds and rate, missing permissions, and the latest submissions there."""
    settings = channel or Channel(result.target.channel_id, 0)
    how = _how(WatchedTarget(result.target, settings))
    return fit([_outcome(result), how, *_warning(lacking), *_latest_there(result)], MESSAGE_LIMIT)


def _warning(lacking: Sequence[str]) -> list[str]:
    return [f"⚠ But I can’t post here yet. Give me {', '.join(lacking)} in this channel."] if lacking else []


def _outcome(result: Added) -> str:
    name = named(result.target)
    match result.outcome:
        case AddOutcome.ADDED:
            return f"✓ Now watching {name}."
        case AddOutcome.RADIUS_CHANGED:
            return f"✓ Radius changed. Now watching {name}."
        case AddOutcome.ALREADY_THERE:
            return f"This channel already watches {name}."


def _how(watched: WatchedTarget) -> str:
    minutes = int(watched.poll_rate.total_seconds() // 60)
    return f"I’ll post {kinds_in_words(watched.kinds)} here, {at_most(minutes)}."


def _latest_there(result: Added) -> list[str]:
    if result.problem:
        return [f"I couldn’t get the latest submissions there: {escape(result.problem)}"]
    if not result.latest:
        return ["There are no submissions there yet."] if result.outcome is AddOutcome.ADDED else []
    one_place = result.target.area is None
    return ["The latest submissions there:", *submission_lines(result.latest, place=not one_place)]


def submission_lines(submissions: Sequence[Submission], *, place: bool = True) -> list[str]:
    """Submissions, one per line. `place` says whether each line names the location."""
    return [short(each, place=place) for each in submissions]


def checked(new: int, problem: str | None) -> str:
    """The answer to `/check` if something is due, with the problem if Pinball Map could not be asked for more."""
    told = f"✓ {new} new {'submission. I’ll post it' if new == 1 else 'submissions. I’ll post them'} here now."
    return cut(f"{told}\n⚠ {escape(problem)}", MESSAGE_LIMIT) if problem else told


def nothing_new(problem: str | None, known: Sequence[Submission]) -> str:
    """The answer to `/check` if nothing is due, or if Pinball Map could not be asked."""
    head = f"⚠ {escape(problem)}" if problem else "Nothing new since the last check."
    if not known:
        return f"{head}\nI haven’t posted anything in this channel yet."
    return fit([head, "The latest that I’ve already shown here:", *submission_lines(known)], MESSAGE_LIMIT)


def removed(target: Target) -> str:
    return f"✓ No longer watching {named(target)}."


def poll_rate_set(minutes: int | None, target: Target | None) -> str:
    if target is None:
        return f"✓ I’ll post here {at_most(minutes or DEFAULT_POLL_RATE_MINUTES)}{_UNLESS_OWN}"
    if minutes is None:
        return f"✓ {named(target)} now follows the channel’s poll rate."
    return f"✓ For {named(target)}, I’ll post {at_most(minutes)}."


def kinds_in_words(kinds: Kinds) -> str:
    """What the kinds cover, such as "machines added and removed, and comments"."""
    *others, last = (KIND_WORDS[kind] for kind in kinds.in_order)
    if not others:
        return last
    # If a part contains "and" itself, only a comma shows where the last part begins.
    comma = "," if len(others) > 1 or any(" and " in part for part in (*others, last)) else ""
    return f"{', '.join(others)}{comma} and {last}"


def kinds_set(kinds: Kinds | None, target: Target | None) -> str:
    if target is None:
        return f"✓ I’ll post {kinds_in_words(kinds or DEFAULT_KINDS)} here{_UNLESS_OWN}"
    if kinds is None:
        return f"✓ {named(target)} now follows the channel’s kinds."
    return f"✓ For {named(target)}, I’ll post {kinds_in_words(kinds)} here."


def which_kinds(target: Target | None) -> str:
    """Above the menu of kinds."""
    return f"What should I post for {named(target)}?" if target else "What should I post in this channel?"


def no_location(text: str) -> str:
    return (
        f"I couldn’t find “{safe(text, NAME_LIMIT)}” on Pinball Map. Try fewer words, its id or its "
        "pinballmap.com link, or watch the whole area with `/add city`."
    )


def no_place(text: str) -> str:
    return (
        f"I couldn’t find a city called “{safe(text, NAME_LIMIT)}”. Check the spelling, add a state or country "
        "(“Portland, OR”, “Birmingham, UK”), or use `/add coordinates`."
    )


def several(count: int, shown: int) -> str:
    """Above a select menu."""
    if count > shown:
        return f"I found {count} matches. Here are the first {shown}. Choose one, or try a longer name:"
    return f"I found {count} matches. Which one do you mean?"


def location_option(location: Location) -> tuple[str, str]:
    """Label and description of a location in a select menu."""
    region = ", ".join(part for part in (location.city, location.state, location.country) if part)
    machines = "" if location.machine_count is None else f"{location.machine_count} machines"
    return _option(location.name, f"Location {location.id}"), _option(
        " · ".join(part for part in (region, machines) if part), f"Location {location.id}"
    )


def place_option(place: Place) -> tuple[str, str]:
    """Label and description of a city in a select menu."""
    point = f"{place.latitude:.2f}, {place.longitude:.2f}"
    people = f" · {place.population:,} people" if place.population else ""
    return _option(place.label, point), point + people


def _option(text: str, fallback: str) -> str:
    return cut(clean(text), OPTION_LIMIT) or fallback


def import_head(possible: int, lines: int) -> str:
    """Above a dry run."""
    return f"I can apply {possible} of {lines} lines:" if possible else "I can’t apply any of this:"


def import_lines(plan: ImportPlan) -> list[str]:
    """A dry run, one line per step."""
    return [_step(step) for step in plan.steps]


def _step(step: PlannedStep) -> str:
    if step.problem:
        return f"⚠ {step.line_number}: {safe(step.line, NAME_LIMIT)}: {safe(step.problem, 200)}"
    return f"✓ {step.line_number}: {safe(step.summary, 200)}"


def possible(plan: ImportPlan) -> int:
    """How many steps can be applied."""
    return sum(step.problem is None for step in plan.steps)


def imported(plan: ImportPlan, lacking: Sequence[str] = ()) -> str:
    left = len(plan.steps) - possible(plan)
    tail = f" I left out the other {left}." if left else ""
    told = f"✓ Imported {possible(plan)} of {len(plan.steps)} lines.{tail}"
    return "\n".join((told, *_warning(lacking)))


def as_code(text: str) -> str | None:
    """`text` as a code block to copy, or None if it needs a file."""
    block = f"```\n{text.rstrip()}\n```"
    return None if "`" in text or length(block) > MESSAGE_LIMIT else block
