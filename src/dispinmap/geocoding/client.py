"""Open-Meteo's geocoder over HTTP."""

import aiohttp
import stamina
from aiolimiter import AsyncLimiter

from dispinmap import http
from dispinmap.clock import Clock
from dispinmap.geocoding import choosing
from dispinmap.geocoding.models import GeocodingError, Place
from dispinmap.geocoding.parsing import Candidate, parse_candidates
from dispinmap.pinballmap.queries import clean_query

# The geocoder's maximum. With fewer results, the Springfield that someone meant may be missing.
MAX_RESULTS = 100
MIN_NAME_LENGTH = 2
MAX_WAIT_SECONDS = 10.0


class _Later(GeocodingError):
    """Asking again may help, after `seconds` if given."""

    def __init__(self, message: str, seconds: float | None = None) -> None:
        super().__init__(message)
        self.seconds = seconds


class GeocodingClient:
    """Finds places for what a person typed. Raises GeocodingError."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str, clock: Clock) -> None:
        self._session = session
        self._url = f"{base_url.rstrip('/')}/search"
        self._clock = clock
        # A tenth of the 600 requests per minute that Open-Meteo allows free users.
        self._limiter = AsyncLimiter(10, 10)
        self._retry = stamina.AsyncRetryingCaller(
            attempts=3, timeout=20, wait_initial=0.5, wait_max=4, wait_jitter=0.5
        ).on(_worth_retrying)

    async def search(self, text: str) -> tuple[Place, ...]:
        """Places for "Portland, OR", "Birmingham, UK" or "München": best first, only one if it is unambiguous."""
        for query in choosing.queries(text):
            places = choosing.choose(query, await self._candidates(query.name))
            if places:
                return places
        return ()

    async def _candidates(self, name: str) -> tuple[Candidate, ...]:
        cleaned = clean_query(name)
        if len(cleaned) < MIN_NAME_LENGTH:
            return ()
        return await self._retry(self._once, cleaned)

    async def _once(self, name: str) -> tuple[Candidate, ...]:
        await self._limiter.acquire()
        params = {"name": name, "count": str(MAX_RESULTS), "language": "en", "format": "json"}
        try:
            answer = await http.get(self._session, self._url, params)
        except http.NoAnswer as error:
            raise _Later(f"The geocoder {error}: try again in a few minutes, or give coordinates.") from None
        self._check(answer)
        try:
            return parse_candidates(http.decode(answer.body))
        except ValueError:
            raise _Later("The geocoder's answer is garbled: try again in a few minutes, or give coordinates.") from None

    def _check(self, answer: http.Answer) -> None:
        if answer.status == 200:
            return
        if answer.status == 429 or answer.status >= 500:
            seconds = http.retry_after(answer.headers, self._clock.now())
            raise _Later(
                f"The geocoder is overloaded (HTTP {answer.status}): try again in a few minutes, or give coordinates.",
                seconds,
            )
        raise GeocodingError(
            f"The geocoder does not understand this bot (HTTP {answer.status}): check GEOCODING_API_BASE, "
            "or give coordinates."
        )


def _worth_retrying(error: Exception) -> bool | float:
    """Whether to ask again, or after how many seconds. True leaves the pause to the back-off."""
    if not isinstance(error, _Later):
        return False
    seconds = error.seconds or 0.0
    return seconds <= MAX_WAIT_SECONDS and (seconds or True)
