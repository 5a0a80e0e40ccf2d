"""Location names while someone types."""

import asyncio

import pytest
from structlog.testing import capture_logs

from dispinmap.pinballmap.errors import Unavailable
from dispinmap.pinballmap.models import LocationHint
from dispinmap.targets.naming import CHOICES
from dispinmap.targets.suggestions import CACHED, FRESH_FOR, PAUSE, Suggestions
from tests.fakes.clock import ManualClock

HINT = LocationHint(874, "Ground Kontrol", "Ground Kontrol (Portland, OR)")


class Server:
    """Answers when `open` is set; counts how many are asking at once."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.open = asyncio.Event()
        self.open.set()
        self.answer: tuple[LocationHint, ...] = (HINT,)
        self.failing = False
        self.at_once = 0
        self.most_at_once = 0

    async def __call__(self, text: str) -> tuple[LocationHint, ...]:
        self.asked.append(text)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.open.wait()
        finally:
            self.at_once -= 1
        if self.failing:
            raise Unavailable("Pinball Map does not answer: try again later.")
        return self.answer


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def suggestions(server: Server, clock: ManualClock) -> Suggestions:
    return Suggestions(server, clock)


@pytest.mark.parametrize("text", ["", "gr", "  a ", "!!!!", "a b"])
async def test_fewer_than_three_letters_are_not_asked_for(suggestions: Suggestions, server: Server, text: str) -> None:
    assert await suggestions.suggest(text) == ()
    assert server.asked == []


async def test_an_answer_is_kept_for_its_time(suggestions: Suggestions, server: Server, clock: ManualClock) -> None:
    assert await suggestions.suggest("Ground") == (HINT,)
    assert await suggestions.suggest("ground ") == (HINT,)
    assert server.asked == ["Ground"]
    clock.advance(FRESH_FOR.total_seconds())
    assert await suggestions.suggest("ground") == (HINT,)
    assert len(server.asked) == 2


async def test_empty_answers_are_kept_as_well(suggestions: Suggestions, server: Server) -> None:
    server.answer = ()
    assert await suggestions.suggest("nowhere") == await suggestions.suggest("nowhere") == ()
    assert len(server.asked) == 1


async def test_typing_on_skips_what_was_typed_in_between(suggestions: Suggestions, server: Server) -> None:
    server.open.clear()
    typed = [asyncio.create_task(suggestions.suggest(text)) for text in ("gro", "grou", "groun", "ground")]
    await asyncio.sleep(0)
    server.open.set()
    answers = await asyncio.gather(*typed)
    assert server.asked == ["gro", "ground"]
    assert server.most_at_once == 1
    assert answers == [(HINT,), (), (), (HINT,)]


async def test_two_people_typing_different_names_are_both_answered(suggestions: Suggestions, server: Server) -> None:
    server.open.clear()
    typed = [asyncio.create_task(suggestions.suggest(text)) for text in ("ground", "wedge", "quarter")]
    await asyncio.sleep(0)
    server.open.set()
    assert await asyncio.gather(*typed) == [(HINT,)] * 3
    assert server.most_at_once == 1


async def test_a_late_answer_is_dropped_and_the_next_question_is_asked(server: Server, clock: ManualClock) -> None:
    suggestions = Suggestions(server, clock, patience_seconds=0.01)
    server.open.clear()
    assert await suggestions.suggest("ground") == ()
    server.open.set()
    assert await suggestions.suggest("ground") == (HINT,)


async def test_an_outage_is_logged_once_and_its_end_too(
    suggestions: Suggestions, server: Server, clock: ManualClock
) -> None:
    server.failing = True
    with capture_logs() as logs:
        for text in ("ground", "wedge"):
            assert await suggestions.suggest(text) == ()
            clock.advance(PAUSE.total_seconds())
        server.failing = False
        assert await suggestions.suggest("ground") == (HINT,)
    assert [entry["event"] for entry in logs] == ["location_suggestions_failing", "location_suggestions_recovered"]


async def test_a_failing_server_is_left_alone_for_a_while(
    suggestions: Suggestions, server: Server, clock: ManualClock
) -> None:
    server.failing = True
    for text in ("gro", "grou", "groun"):
        assert await suggestions.suggest(text) == ()
    assert server.asked == ["gro"]
    clock.advance(PAUSE.total_seconds())
    server.failing = False
    assert await suggestions.suggest("ground") == (HINT,)


async def test_no_more_than_a_list_shows(suggestions: Suggestions, server: Server) -> None:
    server.answer = (HINT,) * 40
    assert len(await suggestions.suggest("ground")) == CHOICES


async def test_the_cache_is_bounded(suggestions: Suggestions) -> None:
    for number in range(CACHED + 10):
        await suggestions.suggest(f"name {number}")
    assert len(suggestions._cache) == CACHED
