"""The ways in which asking Pinball Map can fail. Nothing of aiohttp's passes this seam."""

from dispinmap.errors import DisPinMapError


class PinballMapError(DisPinMapError):
    """Pinball Map gave no usable answer."""


class Unauthorized(PinballMapError):
    """The API token is missing, pending or revoked (401 or 403); asking again does not help."""


class Limited(PinballMapError):
    """Too many requests (429). `retry_after` is the number of seconds the server asked for, if it did."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(PinballMapError):
    """No answer in time, no connection, or a 5xx; asking again later helps."""


class Malformed(PinballMapError):
    """An answer that is not what the API promises, such as truncated JSON."""
