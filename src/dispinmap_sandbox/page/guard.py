"""Keeps other web pages from using the sandbox: they can reach loopback too, but cannot forge their origin."""

from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

LOOPBACK_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
SAFE_METHODS = frozenset({"GET", "HEAD"})
SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def refusal(method: str, host: str, origin: str | None, fetch_site: str | None) -> str | None:
    """The sentence to refuse a request with, or None. `host`, `origin` and `fetch_site` are the request's headers.

    Any other name than loopback's means that a web page made its own name point here (DNS rebinding). If another page
    sends a changing request, the browser adds that page's origin, and a script cannot remove it.
    """
    if urlsplit(f"//{host}").hostname not in LOOPBACK_NAMES:
        return "The sandbox's page answers to 127.0.0.1 and localhost only: open the address that the sandbox printed."
    if method in SAFE_METHODS:
        return None
    if origin not in (None, f"http://{host}") or fetch_site not in (None, "same-origin", "none"):
        return "Another web page tried to use the sandbox: use the sandbox's own page."
    return None


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 if `refusal` has a sentence."""
    headers = request.headers
    sentence = refusal(request.method, request.host, headers.get("Origin"), headers.get("Sec-Fetch-Site"))
    if sentence is not None:
        return web.json_response({"error": sentence}, status=web.HTTPForbidden.status_code)
    return await handler(request)


async def add_security_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """For `on_response_prepare`. The page loads nothing from outside, and no other page can frame it."""
    response.headers.update(SECURITY_HEADERS)
