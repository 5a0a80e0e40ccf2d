"""The numbers on the pages are those in the code."""

from datetime import timedelta

import pytest

from dispinmap import supervision
from dispinmap.discordbot import target_table
from dispinmap.discordbot.commands import check, transfer
from dispinmap.feed import cursor, poller, reading, schedule
from dispinmap.outbox import batches, retry
from dispinmap.targets import kinds, latest, models, planning, suggestions
from tests.docs.pages import read

MINUTE = timedelta(minutes=1)
WORDS = {3: "three", 5: "five", 10: "ten"}


@pytest.mark.parametrize(
    "sentence",
    [
        f"the {latest.LATEST_COUNT} latest changes there",
        f"suggestions from {WORDS[suggestions.MIN_LETTERS]} letters on",
        f"from {models.MIN_RADIUS_MILES:g} to {models.MAX_RADIUS_MILES:g} miles; {models.DEFAULT_RADIUS_MILES:g} miles",
        f"page has {WORDS[target_table.ROWS_PER_PAGE]} targets",
        f"once every {check.COOLDOWN_SECONDS:g} seconds",
        f"A whole number from {models.MIN_POLL_RATE_MINUTES} to {models.MAX_POLL_RATE_MINUTES} (a week)",
        f"`default`: {models.DEFAULT_POLL_RATE_MINUTES} for the channel",
        f"`default`: `{kinds.DEFAULT_KINDS}` for the channel",
        f"at most {transfer.FILE_LIMIT // 1024} KiB",
        f"the first {planning.MAX_LOOKUPS} per import",
    ],
)
def test_the_commands_page_gives_the_limits_that_hold(sentence: str) -> None:
    assert sentence in _flowing("docs/commands.md")


@pytest.mark.parametrize(
    "sentence",
    [
        f"at most {schedule.LONGEST_INTERVAL // MINUTE} minutes",
        f"until {cursor.OVERLAP // MINUTE} minutes before the newest matched row",
        f"If at most {reading.LOOKED_UP_PLACES} places are watched",
        f"matched in the order in which it happened, {poller.BATCH} rows a",
        f"at most {batches.MAX_CARDS} cards",
        f"relied on for {retry.NONCE_LIFETIME.seconds} seconds",
        f"{WORDS[retry.FIRST_PARKING // MINUTE]} minutes at first, doubling up to a day",
        f"from {retry.FIRST_RETRY.seconds} seconds up to {retry.LONGEST_RETRY // MINUTE} minutes apart",
        f"after {supervision.MAX_FAILURES} failures in a row",
    ],
)
def test_the_architecture_page_gives_the_times_that_hold(sentence: str) -> None:
    assert sentence in _flowing("docs/architecture.md")


def _flowing(name: str) -> str:
    """The page without its line breaks."""
    return " ".join(read(name).split())
