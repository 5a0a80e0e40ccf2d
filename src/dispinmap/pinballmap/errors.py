"""The ways in which asking Pinball Map can fail. aiohttp's own errors never reach a caller."""

import math
from typing import ClassVar

from dispinmap.errors import DisPinMapError

TOKEN_PAGE = "https://pinballmap.com/api_token"  # noqa: S105 - an address


class PinballMapError(DisPinMapError):
    """Pinball Map gave no usable answer."""

    outcome: ClassVar[str]
    """The name under which the client counts this error."""


class Unauthorized(PinballMapError):
    """The API token is missing, pending or revoked (401 or 403). Asking again does not help."""

    outcome = "unauthorized"


class Limited(PinballMapError):
    """Too many requests (429). `retry_after` is the number of seconds the server asked for, if it did."""

    outcome = "limited"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(PinballMapError):
    """No answer in time, no connection, or a 5xx. Asking again later helps, after `retry_after` seconds if given."""

    outcome = "unavailable"

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Malformed(PinballMapError):
    """An answer that is not what the API promises."""

    outcome = "malformed"


class Garbled(Malformed):
    """An answer that is not JSON, such as half a page or an HTML notice. The next answer may be good."""


def refusal(status: int, retry_after: float | None) -> PinballMapError | None:
    """What an HTTP status other than success means; None for 200."""
    match status:
        case 200:
            return None
        case 401:
            return Unauthorized(
                "Pinball Map refuses the API token (HTTP 401): "
                f"get one at {TOKEN_PAGE} and set PINBALLMAP_API_TOKEN to it."
            )
        case 403:
            return Unauthorized(
                "Pinball Map refuses this bot (HTTP 403): its address may be blocked for some hours, "
                f"or the API token is revoked; see {TOKEN_PAGE}."
            )
        case 429:
            return Limited(
                f"Pinball Map asks for fewer requests (HTTP 429): try again {_when(retry_after)}.", retry_after
            )
        case _ if status >= 500:
            return Unavailable(
                f"Pinball Map has a problem (HTTP {status}): try again {_when(retry_after)}.", retry_after
            )
        case 304:
            return Malformed(
                "Pinball Map unexpectedly says that nothing changed (HTTP 304): try again in a few minutes."
            )
        case _ if 300 <= status < 400:
            return Malformed(f"Pinball Map has moved (HTTP {status}): check PINBALLMAP_API_BASE.")
        case _:
            return Malformed(
                f"Pinball Map does not understand this bot (HTTP {status}): check PINBALLMAP_API_BASE, "
                "or update DisPinMap."
            )


def _when(retry_after: float | None) -> str:
    return f"in {math.ceil(retry_after)} seconds" if retry_after else "in a few minutes"
