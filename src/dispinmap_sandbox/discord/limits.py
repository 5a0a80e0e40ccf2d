"""Discord's rate limits: fixed windows for each route, and one for all requests.

https://discord.com/developers/docs/topics/rate-limits. Discord publishes no table. The figures are what
these routes commonly answer.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from zlib import crc32

from dispinmap_sandbox.discord.models import Json


@dataclass(frozen=True, slots=True)
class Rule:
    """`limit` requests per `seconds`, counted separately for each value of the major parameters."""

    limit: int
    seconds: float


GLOBAL = Rule(50, 1)
ROUTES: Mapping[str, Rule] = {
    "POST /channels/{channel_id}/messages": Rule(5, 5),
    "PATCH /channels/{channel_id}/messages/{message_id}": Rule(5, 5),
    "DELETE /channels/{channel_id}/messages/{message_id}": Rule(5, 1),
    "POST /webhooks/{application_id}/{token}": Rule(5, 2),
    "PATCH /webhooks/{application_id}/{token}/messages/{message_id}": Rule(5, 2),
}
MAJOR = ("channel_id", "guild_id", "token")


@dataclass(slots=True)
class _Window:
    ends_at: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """`rule` is None if the route has no limit of its own, or if the global limit refused."""

    allowed: bool
    rule: Rule | None = None
    bucket: str = ""
    remaining: int = 0
    reset_after: float = 0.0
    is_global: bool = False

    def headers(self, now: float) -> dict[str, str]:
        """`now` in seconds since 1970."""
        headers: dict[str, str] = {}
        if self.rule is not None:
            headers = {
                "X-RateLimit-Limit": str(self.rule.limit),
                "X-RateLimit-Remaining": str(self.remaining),
                "X-RateLimit-Reset": f"{now + self.reset_after:.3f}",
                "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
                "X-RateLimit-Bucket": self.bucket,
            }
        if not self.allowed:
            headers["Retry-After"] = str(math.ceil(self.reset_after))
            headers["X-RateLimit-Scope"] = "global" if self.is_global else "user"
            if self.is_global:
                headers["X-RateLimit-Global"] = "true"
        return headers

    @property
    def body(self) -> Json:
        """The body of the 429 answer."""
        message = "You are being rate limited."
        return {"message": message, "retry_after": round(self.reset_after, 3), "global": self.is_global}


class Limits:
    """Callers pass the time, in seconds of any steady clock."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}
        self.refused: Counter[str] = Counter()
        """Requests answered with 429, by route."""

    def take(self, route: str, parameters: Mapping[str, str], now: float) -> Verdict:
        """Count one request on `route` ("POST /channels/{channel_id}/messages") or refuse it."""
        verdict = self._judge(route, parameters, now)
        if not verdict.allowed:
            self.refused[route] += 1
        return verdict

    def _judge(self, route: str, parameters: Mapping[str, str], now: float) -> Verdict:
        # Interactions and their webhooks are exempt from the global limit.
        if "/webhooks/" not in route and "/interactions/" not in route:
            used = self._take("global", GLOBAL, now)
            if not used.allowed:
                return used
        rule = ROUTES.get(route)
        if rule is None:
            return Verdict(allowed=True)
        major = [parameters[name] for name in MAJOR if name in parameters]
        return self._take(":".join([route, *major]), rule, now)

    def _take(self, key: str, rule: Rule, now: float) -> Verdict:
        window = self._windows.get(key)
        if window is None or window.ends_at <= now:
            window = self._windows[key] = _Window(now + rule.seconds)
        left = window.ends_at - now
        is_global = key == "global"
        allowed = window.used < rule.limit
        window.used += allowed
        bucket = "" if is_global else f"{crc32(key.split(':', maxsplit=1)[0].encode()):08x}"
        return Verdict(allowed, None if is_global else rule, bucket, rule.limit - window.used, left, is_global)
