"""HTTP requests to the two outside services. aiohttp's errors do not leave this file."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version

import aiohttp

from dispinmap.errors import DisPinMapError

TIMEOUT = aiohttp.ClientTimeout(total=20, connect=5)
# A search of Pinball Map for a very common word is a few MB; the container has 256 MiB.
MAX_BODY_BYTES = 16 * 2**20
# If a server asks for a longer wait, that is probably a mistake: after an hour, one request finds out.
MAX_RETRY_AFTER_SECONDS = 3600.0


Params = Mapping[str, str] | Sequence[tuple[str, str]]
"""The parameters of a query; pairs if a name is repeated."""


class NoAnswer(DisPinMapError):
    """There was no complete answer. The text says what the server did and goes after its name: "did not answer"."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer, with any status."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes


def user_agent() -> str:
    """Our name and a contact address, which Pinball Map asks every client to send."""
    return f"DisPinMap/{version('dispinmap')} (+https://github.com/dispinmap/dispinmap; self-hosted Discord bot)"


def open_session(timeout: aiohttp.ClientTimeout = TIMEOUT) -> aiohttp.ClientSession:
    """The one session for Pinball Map and the geocoder. The caller closes it. Keeps no cookies."""
    return aiohttp.ClientSession(
        headers={"User-Agent": user_agent(), "Accept": "application/json"},
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=timeout,
    )


async def get(
    session: aiohttp.ClientSession, url: str, params: Params, headers: Mapping[str, str] | None = None
) -> Answer:
    """Ask once. Raises NoAnswer.

    Redirects are not followed, because aiohttp would send a token in a custom header on to the other host.
    """
    try:
        async with session.get(url, params=params, headers=headers, allow_redirects=False) as response:
            return Answer(response.status, response.headers, await _body(response))
    except TimeoutError:
        raise NoAnswer("did not answer in time") from None
    except aiohttp.ClientPayloadError:
        raise NoAnswer("broke off in the middle of its answer") from None
    except aiohttp.ClientError as error:
        raise NoAnswer(f"could not be reached ({type(error).__name__})") from None


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise NoAnswer(f"sent more than {MAX_BODY_BYTES // 2**20} MiB")
    return bytes(body)


def decode(body: bytes) -> object:
    """The JSON value in `body`. Raises ValueError for anything else."""
    try:
        value: object = json.loads(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return value


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds that `Retry-After` asks for (RFC 9110, 10.2.3: a number or a date), from 0 to an hour."""
    text = headers.get("Retry-After", "").strip()
    seconds = _seconds(text) if text else None
    if seconds is None and text:
        seconds = _seconds_until(text, now)
    return None if seconds is None else min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _seconds(text: str) -> float | None:
    try:
        seconds = float(text)
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) else None


def _seconds_until(text: str, now: datetime) -> float | None:
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    # An HTTP date is always GMT, but for "-0000" the parser returns a naive datetime.
    return ((at if at.tzinfo else at.replace(tzinfo=UTC)) - now).total_seconds()
