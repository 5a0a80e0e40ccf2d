"""A card as Discord's embed JSON (pure): one location, and what came, what left and what was said there.

Limits: https://docs.discord.com/developers/resources/message#embed-object-embed-limits
"""

import re
from typing import Final, TypedDict

from dispinmap.discordbot.lines import Category, category_of, distance, full, is_about_a_location
from dispinmap.discordbot.markdown import fit, length, safe
from dispinmap.matching.geography import miles_between
from dispinmap.outbox.destination import Card
from dispinmap.outbox.models import Notification
from dispinmap.pinballmap.models import Submission

TITLE_LIMIT: Final = 256
DESCRIPTION_LIMIT: Final = 4096
URL_LIMIT: Final = 2048
FOOTER: Final = "Data: Pinball Map, CC BY-SA 4.0"
CARD_LIMIT: Final = TITLE_LIMIT + DESCRIPTION_LIMIT + len(FOOTER)
"""No card has more characters. A message may have 6,000."""
ITEM_LIMIT: Final = 90
"""This many ids of any size fit into an embed's link. A card with more can be found again only by the first ones."""

_MAP: Final = "https://pinballmap.com/map"
_MARK: Final = "#submissions="
_NAME_LIMIT: Final = 120
_COLOURS: Final = {
    Category.CAME: 0x2E9E5B,
    Category.LEFT: 0xD1453B,
    Category.SAID: 0x3B82D1,
    Category.OTHER: 0x8A63D2,
}


class Footer(TypedDict):
    text: str


class Embed(TypedDict):
    """The part of Discord's embed object that a card uses."""

    title: str
    url: str
    description: str
    color: int
    footer: Footer


def embed(card: Card) -> Embed:
    """The card within all limits of an embed. Lines that do not fit are replaced by "and N more"."""
    first = card.notifications[0].submission
    return {
        "title": safe(first.location_name or "", _NAME_LIMIT) or "A location without a name",
        "url": link(card),
        "description": _description(card),
        "color": _COLOURS[_category(card)],
        "footer": {"text": FOOTER},
    }


def measure(card: Card) -> int:
    """The number of characters that count towards a message's 6,000."""
    shown = embed(card)
    return sum(length(text) for text in (shown["title"], shown["description"], shown["footer"]["text"]))


def link(card: Card) -> str:
    """The location's page, with the submission ids as fragment. `submission_ids` finds the post by them."""
    page = _page(card.notifications[0].submission.location_id)
    ids = fit([str(number) for number in card.submission_ids], URL_LIMIT - len(page + _MARK) - 1, ",")
    return page + _MARK + ids.partition(",…")[0]


def submission_ids(url: str | None) -> frozenset[int]:
    """The ids in a card's link; empty for any other link."""
    page, mark, ids = (url or "").partition(_MARK)
    if not mark or not page.startswith(_MAP):
        return frozenset()
    return frozenset(int(number) for number in re.findall(r"\d+", ids, re.ASCII))


def _page(location_id: int | None) -> str:
    return _MAP if location_id is None else f"{_MAP}?by_location_id={location_id}"


def _category(card: Card) -> Category:
    categories = {category_of(each.submission) for each in card.notifications}
    return categories.pop() if len(categories) == 1 else Category.OTHER


def _description(card: Card) -> str:
    ordered = sorted(card.notifications, key=lambda each: _order(each.submission))
    head = _place(card)
    foot = f"[Changed again? Update it on Pinball Map]({_page(card.notifications[0].submission.location_id)})"
    room = DESCRIPTION_LIMIT - length(head) - length(foot) - 4
    body = fit([full(each.submission) for each in ordered], room)
    return "\n\n".join(part for part in (head, body, foot) if part)


def _order(submission: Submission) -> tuple[bool, int]:
    """News about the whole location comes first, so that a card shows it even if other lines do not fit."""
    return not is_about_a_location(submission), category_of(submission).value


def _place(card: Card) -> str:
    first = card.notifications[0].submission
    city = safe(first.city_name or "", _NAME_LIMIT)
    miles = _miles(card.notifications)
    away = "" if miles is None else f"{distance(miles)} from the centre"
    return " · ".join(part for part in (city, away) if part)


def _miles(notifications: tuple[Notification, ...]) -> float | None:
    """The distance to the nearest centre of the areas that these notifications are for."""
    return min((miles for each in notifications if (miles := _miles_of(each)) is not None), default=None)


def _miles_of(notification: Notification) -> float | None:
    spot, area = notification.submission, notification.area
    if area is None or spot.latitude is None or spot.longitude is None:
        return None
    return miles_between(area.latitude, area.longitude, spot.latitude, spot.longitude)
