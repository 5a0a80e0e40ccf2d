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


class Category(Enum):
    """What a submission means to a reader. A card shows its lines in the order of the values."""

    CAME = 0
    LEFT = 1
    SAID = 2
    OTHER = 3


_CATEGORIES: dict[str, Category] = {
    SubmissionType.NEW_LMX: Category.CAME,
    SubmissionType.REMOVE_MACHINE: Category.LEFT,
    SubmissionType.NEW_CONDITION: Category.SAID,
    SubmissionType.ADD_LOCATION: Category.CAME,
    SubmissionType.DELETE_LOCATION: Category.LEFT,
}
_HEADLINES: dict[str, str] = {
    SubmissionType.CONFIRM_LOCATION: "Line-up confirmed",
    SubmissionType.ADD_LOCATION: "Location opened",
    SubmissionType.DELETE_LOCATION: "Location closed",
}
"""For submissions about a whole location, which name no machine."""
_VERBS: dict[str, str] = {
    SubmissionType.NEW_CONDITION: "",
    SubmissionType.NEW_LMX: "added",
    SubmissionType.REMOVE_MACHINE: "removed",
    SubmissionType.NEW_MSX: "high score",
    **dict.fromkeys(_HEADLINES, ""),
}
_SIGNS = {Category.CAME: "+", Category.LEFT: "−", Category.SAID: "✎", Category.OTHER: "•"}


def category_of(submission: Submission) -> Category:
    """Unknown types are OTHER."""
    return _CATEGORIES.get(submission.type, Category.OTHER)


def is_about_a_location(submission: Submission) -> bool:
    """Whether it is about a whole location, not about one machine."""
    return submission.type in _HEADLINES


def moment(at: datetime, style: str = "R") -> str:
    """Discord's timestamp, which each reader sees in their own zone: "R" as "2 hours ago", "f" as date and time."""
    return f"<t:{int(at.timestamp())}:{style}>"


def full(submission: Submission) -> str:
    """For a card: sign, machine, comment or score, who and when."""
    if (theirs := _their_words(submission)) is not None:
        return theirs
    return _joined(_what(submission), _said(submission, COMMENT_LIMIT), f"· {_who_when(submission)}")


def short(submission: Submission, *, place: bool = True) -> str:
    """For a list: the same with a shorter comment, and with the location's name if `place` is set."""
    if (theirs := _their_words(submission)) is not None:
        return theirs
    name = safe(submission.location_name or "", PLACE_LIMIT) if place else ""
    said = _said(submission, SHORT_COMMENT_LIMIT)
    before = "·" if is_about_a_location(submission) else "at"
    return _joined(_what(submission), name and f"{before} {name}", said, f"· {_who_when(submission)}")


def _their_words(submission: Submission) -> str | None:
    """Pinball Map's own sentence if we have no words for the type. It already names the person and the location."""
    sentence = safe(submission.sentence or "", SENTENCE_LIMIT)
    if submission.type in _VERBS or not sentence:
        return None
    return f"{_SIGNS[Category.OTHER]} {sentence} · {moment(submission.created_at)}"


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _what(submission: Submission) -> str:
    category = category_of(submission)
    name = _HEADLINES.get(submission.type) or safe(submission.machine_name or "", MACHINE_LIMIT)
    if not name and (category is not Category.OTHER or submission.type == SubmissionType.NEW_MSX):
        name = "a machine"
    return f"{_SIGNS[category]} **{name}**" if name else _SIGNS[category]


def _said(submission: Submission, limit: int) -> str:
    """A score with separators between its thousands, or a comment in quotes."""
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
    """A distance in miles and kilometres, such as "2.3 mi (3.7 km)". From 10 on, there are no decimals."""
    return f"{_rounded(miles)} mi ({_rounded(miles * KILOMETRES_PER_MILE)} km)"


def _rounded(number: float) -> str:
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}".removesuffix(".0")
