"""One submission as one line of Discord markdown (pure)."""

from datetime import datetime
from enum import Enum

from dispinmap.discordbot.markdown import safe
from dispinmap.pinballmap.models import Submission, SubmissionType
from dispinmap.targets.models import KILOMETRES_PER_MILE

MACHINE_LIMIT = 120
USER_LIMIT = 50
PLACE_LIMIT = 80
COMMENT_LIMIT = 300
SHORT_COMMENT_LIMIT = 80
SENTENCE_LIMIT = 300


class Kind(Enum):
    """What a submission is to a reader; the value orders a card's parts."""

    CAME = 0
    LEFT = 1
    SAID = 2
    OTHER = 3


_KINDS: dict[str, Kind] = {
    SubmissionType.NEW_LMX: Kind.CAME,
    SubmissionType.REMOVE_MACHINE: Kind.LEFT,
    SubmissionType.NEW_CONDITION: Kind.SAID,
    SubmissionType.ADD_LOCATION: Kind.CAME,
    SubmissionType.DELETE_LOCATION: Kind.LEFT,
}
_HEADLINES: dict[str, str] = {
    SubmissionType.CONFIRM_LOCATION: "Line-up confirmed",
    SubmissionType.ADD_LOCATION: "Location opened",
    SubmissionType.DELETE_LOCATION: "Location closed",
}
"""Of submissions about a whole location, which name no machine."""
_VERBS: dict[str, str] = {
    SubmissionType.NEW_CONDITION: "",
    SubmissionType.NEW_LMX: "added",
    SubmissionType.REMOVE_MACHINE: "removed",
    SubmissionType.NEW_MSX: "high score",
    **dict.fromkeys(_HEADLINES, ""),
}
_SIGNS = {Kind.CAME: "+", Kind.LEFT: "−", Kind.SAID: "✎", Kind.OTHER: "•"}


def kind_of(submission: Submission) -> Kind:
    """Unknown types are OTHER."""
    return _KINDS.get(submission.type, Kind.OTHER)


def is_about_a_location(submission: Submission) -> bool:
    """Whether it is about a whole location and no single machine."""
    return submission.type in _HEADLINES


def moment(at: datetime, style: str = "R") -> str:
    """Discord's timestamp, shown in each reader's own zone: "R" as "2 hours ago", "f" as date and time."""
    return f"<t:{int(at.timestamp())}:{style}>"


def full(submission: Submission) -> str:
    """For a card: sign, machine, what was said, who and when."""
    if (theirs := _their_words(submission)) is not None:
        return theirs
    return _joined(_what(submission), _said(submission, COMMENT_LIMIT), f"· {_who_when(submission)}")


def short(submission: Submission, *, place: bool = True) -> str:
    """For a list: the same with a shorter comment, and with the place's name where the list is over several."""
    if (theirs := _their_words(submission)) is not None:
        return theirs
    where = safe(submission.location_name or "", PLACE_LIMIT) if place else ""
    said = _said(submission, SHORT_COMMENT_LIMIT)
    before = "·" if is_about_a_location(submission) else "at"
    return _joined(_what(submission), where and f"{before} {where}", said, f"· {_who_when(submission)}")


def _their_words(submission: Submission) -> str | None:
    """Pinball Map's own sentence about a type that we have no words for; it says who and where by itself."""
    sentence = safe(submission.sentence or "", SENTENCE_LIMIT)
    if submission.type in _VERBS or not sentence:
        return None
    return f"{_SIGNS[Kind.OTHER]} {sentence} · {moment(submission.created_at)}"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _what(submission: Submission) -> str:
    kind = kind_of(submission)
    name = _HEADLINES.get(submission.type) or safe(submission.machine_name or "", MACHINE_LIMIT)
    if not name and (kind is not Kind.OTHER or submission.type == SubmissionType.NEW_MSX):
        name = "a machine"
    return f"{_SIGNS[kind]} **{name}**" if name else _SIGNS[kind]


def _said(submission: Submission, limit: int) -> str:
    """A score with its thousands separated, or a comment in quotes."""
    if submission.type == SubmissionType.NEW_MSX and submission.high_score is not None:
        return f"{submission.high_score:,}"
    said = safe(submission.comment or "", limit)
    return f"“{said}”" if said else ""


def _who_when(submission: Submission) -> str:
    verb = _verb(submission)
    who = safe(submission.user_name or "", USER_LIMIT)
    by = f"by {who}" if who and submission.type != SubmissionType.NEW_CONDITION else who
    return _joined(verb, by, moment(submission.created_at))


def _verb(submission: Submission) -> str:
    verb = _VERBS.get(submission.type)
    return safe(submission.type.replace("_", " "), PLACE_LIMIT) if verb is None else verb


def distance(miles: float) -> str:
    """Such as "2.3 mi (3.7 km)"; no decimals from 10 on."""
    return f"{_rounded(miles)} mi ({_rounded(miles * KILOMETRES_PER_MILE)} km)"


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}".removesuffix(".0")
