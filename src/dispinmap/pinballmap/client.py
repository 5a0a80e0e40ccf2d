"""Pinball Map over HTTP."""

import asyncio
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Generic, TypeVar, cast

import aiohttp
import stamina
import structlog
from aiolimiter import AsyncLimiter

from dispinmap import http
from dispinmap.clock import Clock
from dispinmap.pinballmap import parsing
from dispinmap.pinballmap.errors import Garbled, Limited, PinballMapError, Unavailable, refusal
from dispinmap.pinballmap.models import Location, LocationHint, Nothing, Rows
from dispinmap.pinballmap.parsing import Parsed
from dispinmap.pinballmap.queries import clean_query

T = TypeVar("T")

PAGE_SIZE = 50
MAX_DISTANCE_MILES = 250
MIN_AUTOCOMPLETE_LETTERS = 3
BURST = 5
PAGING_BURST = 3
# If the server asks for a longer pause, the caller has to wait: a call never takes that long.
MAX_WAIT_SECONDS = 10.0
MAX_REMEMBERED_ROWS = 1000

_log = structlog.get_logger(__name__)


_Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass(frozen=True, slots=True)
class _Question(Generic[T]):
    path: str
    params: http.Params
    parse: Callable[[object], T]
    conditional: bool = False
    """Ask only if the answer changed (ETag). Answers are kept in memory, so use this for few different questions."""

    @property
    def key(self) -> _Key:
        """Equal for equal questions."""
        pairs = self.params.items() if isinstance(self.params, Mapping) else self.params
        return self.path, tuple(pairs)


class PinballMapClient:
    """Asks Pinball Map. Its methods raise Unauthorized, Limited, Unavailable or Malformed."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        token: str | None,
        clock: Clock,
        *,
        requests_per_minute: float = 30,
    ) -> None:
        """`token` is only sent as a header. The server's own limit is 120 requests per minute."""
        self.requests: Counter[str] = Counter()
        """Requests, including retries, by outcome: ok, nothing, not_modified, cancelled, or an error's `outcome`."""
        self.malformed_rows = 0
        """The number of distinct rows that were left out."""
        self._session = session
        self._base_url = base_url.rstrip("/")
        self._headers = {"X-Api-Token": token} if token else {}
        self._clock = clock
        self._limiter = AsyncLimiter(BURST, 60 * BURST / requests_per_minute)
        # Paging back uses at most half of the rate, so that a person's request never waits for it.
        self._paging_limiter = AsyncLimiter(PAGING_BURST, 60 * PAGING_BURST / (requests_per_minute / 2))
        self._retry = stamina.AsyncRetryingCaller(
            attempts=3, timeout=30, wait_initial=0.5, wait_max=4, wait_jitter=0.5
        ).on(_worth_retrying)
        self._quiet_until: datetime | None = None
        self._unchanged: dict[_Key, tuple[str, object]] = {}
        self._reported: set[int] = set()

    async def feed(
        self, page: int | None = None, *, limit: int = PAGE_SIZE, types: Sequence[str] = ()
    ) -> Rows | Nothing:
        """The newest 200 submissions in the world; with `page` (from 1), one page of `limit` rows (1 to 50).

        `types` are the submission types to return, here and in the look-ups below. Without it, Pinball Map returns its
        own choice, which leaves out closed places and may get new types that we do not know.
        """
        if not 1 <= limit <= PAGE_SIZE:
            raise ValueError(f"A page has 1 to {PAGE_SIZE} rows, not {limit}.")
        if page is None:
            return await self._submissions("user_submissions.json", {}, types, conditional=True)
        await self._paging_limiter.acquire()
        return await self._submissions("user_submissions.json", {"limit": str(limit), "page": str(page)}, types)

    async def submissions_at(self, location_id: int, *, types: Sequence[str] = ()) -> Rows | Nothing:
        """The newest 200 submissions at one location."""
        return await self._submissions("user_submissions/location.json", {"id": str(location_id)}, types)

    async def submissions_near(
        self,
        latitude: float,
        longitude: float,
        radius_miles: float,
        since: date | None = None,
        *,
        types: Sequence[str] = (),
    ) -> Rows | Nothing:
        """The newest 200 submissions in an area (degrees, miles) since the day `since`.

        The server counts whole miles (up to 250) and Pacific days, so rows may be outside by less than a mile or a day.
        """
        params = {
            "lat": f"{latitude:.6f}",
            "lon": f"{longitude:.6f}",
            "max_distance": str(min(math.ceil(radius_miles), MAX_DISTANCE_MILES)),
        }
        if since is not None:
            params["min_date_of_submission"] = since.isoformat()
        return await self._submissions("user_submissions/list_within_range.json", params, types)

    async def location(self, location_id: int) -> Location | None:
        """The location; None if Pinball Map does not have it."""
        path = f"locations/{location_id}.json"
        found = await self._ask(_Question(path, {"metadata_only": "1"}, parsing.parse_location))
        return None if isinstance(found, Nothing) else found

    async def search_locations(self, name: str) -> tuple[Location, ...]:
        """Locations whose name contains `name`."""
        cleaned = clean_query(name)
        if not cleaned:
            return ()
        params = {"by_location_name": cleaned, "no_details": "1"}
        found = await self._ask(_Question("locations.json", params, parsing.parse_locations))
        return () if isinstance(found, Nothing) else self._readable(found)

    async def autocomplete(self, text: str) -> tuple[LocationHint, ...]:
        """Suggestions for 3 or more letters, from the cheap endpoint. Never retried, because typing on asks again."""
        cleaned = clean_query(text)
        if len(cleaned) < MIN_AUTOCOMPLETE_LETTERS:
            return ()
        found = await self._once(_Question("locations/autocomplete.json", {"name": cleaned}, parsing.parse_hints))
        return () if isinstance(found, Nothing) else self._readable(found)

    async def _submissions(
        self, path: str, params: Mapping[str, str], types: Sequence[str], *, conditional: bool = False
    ) -> Rows | Nothing:
        pairs = [*params.items(), *(("submission_type[]", each) for each in types)]
        found = await self._ask(_Question(path, pairs, parsing.parse_submissions, conditional))
        return found if isinstance(found, Nothing) else Rows(self._readable(found), len(found.rejected))

    def _readable(self, parsed: Parsed[T]) -> tuple[T, ...]:
        """The good rows. Each bad row is logged only once, because the feed shows it for hours."""
        for row in parsed.rejected:
            if row.fingerprint not in self._reported:
                if len(self._reported) >= MAX_REMEMBERED_ROWS:
                    self._reported.clear()
                self._reported.add(row.fingerprint)
                self.malformed_rows += 1
                _log.warning("pinballmap_row_malformed", id=row.id, fields=row.fields)
        return parsed.rows

    async def _ask(self, question: _Question[T]) -> T:
        return await self._retry(self._once, question)

    async def _once(self, question: _Question[T]) -> T:
        self._obey_pause()
        await self._limiter.acquire()
        self._obey_pause()  # the server may have asked for a pause while this request waited
        try:
            answer = await self._get(question)
            if answer.status == HTTPStatus.NOT_MODIFIED and question.key in self._unchanged:
                self.requests["not_modified"] += 1
                return cast("T", self._unchanged[question.key][1])
            result = self._read(answer, question)
        except asyncio.CancelledError:
            self.requests["cancelled"] += 1
            raise
        except PinballMapError as error:
            self.requests[error.outcome] += 1
            self._note_pause(error)
            raise
        self.requests["nothing" if isinstance(result, Nothing) else "ok"] += 1
        return result

    async def _get(self, question: _Question[T]) -> http.Answer:
        headers = dict(self._headers)
        if question.conditional and question.key in self._unchanged:
            headers["If-None-Match"] = self._unchanged[question.key][0]
        try:
            return await http.get(self._session, f"{self._base_url}/{question.path}", question.params, headers)
        except http.NoAnswer as error:
            raise Unavailable(f"Pinball Map {error}: try again in a few minutes.") from None

    def _read(self, answer: http.Answer, question: _Question[T]) -> T:
        error = refusal(answer.status, http.retry_after(answer.headers, self._clock.now()))
        if error is not None:
            raise error
        try:
            body = http.decode(answer.body)
        except ValueError:
            raise Garbled("Pinball Map's answer is garbled or cut short: try again in a few minutes.") from None
        result = question.parse(body)
        etag = answer.headers.get("ETag")
        if question.conditional and etag:
            self._unchanged[question.key] = (etag, result)
        return result

    def _obey_pause(self) -> None:
        """Raises Limited, without a request, during a longer pause that the server asked for."""
        if self._quiet_until is None:
            return
        left = (self._quiet_until - self._clock.now()).total_seconds()
        if left > 0:
            raise Limited(f"Pinball Map asked for a pause: try again in {math.ceil(left)} seconds.", left)

    def _note_pause(self, error: PinballMapError) -> None:
        seconds = _asked_pause(error)
        if seconds > MAX_WAIT_SECONDS:
            self._quiet_until = self._clock.now() + timedelta(seconds=seconds)


def _asked_pause(error: Exception) -> float:
    return error.retry_after or 0.0 if isinstance(error, Limited | Unavailable) else 0.0


def _worth_retrying(error: Exception) -> bool | float:
    """Whether to ask again, or after how many seconds. True leaves the pause to the back-off."""
    if not isinstance(error, Limited | Unavailable | Garbled):
        return False
    pause = _asked_pause(error)
    return pause <= MAX_WAIT_SECONDS and (pause or True)
