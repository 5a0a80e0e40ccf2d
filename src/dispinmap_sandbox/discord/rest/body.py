"""Reads request bodies and parameters as Discord does."""

import json

from aiohttp import BodyPartReader, web

from dispinmap_sandbox.discord import errors
from dispinmap_sandbox.discord.models import Json, Upload
from dispinmap_sandbox.discord.posts import Body

MAX_REQUEST_BYTES = 25 * 1024 * 1024


async def read_body(request: web.Request) -> Body:
    """JSON, or a multipart form of `payload_json` and files. Raises ApiError 50109 or 50035 for anything else."""
    if request.content_type == "multipart/form-data":
        return await _read_multipart(request)
    return Body(_object(await request.text()))


async def _read_multipart(request: web.Request) -> Body:
    payload: Json = {}
    uploads: list[Upload] = []
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        if part.filename is not None:
            content_type = part.headers.get("Content-Type", "application/octet-stream")
            uploads.append(Upload(part.filename, bytes(await part.read()), content_type))
        elif part.name == "payload_json":
            payload = _object(await part.text())
    return Body(payload, tuple(uploads))


def _object(text: str) -> Json:
    found = parse(text or "{}")
    if not isinstance(found, dict):
        raise errors.invalid_form(
            {"_errors": [{"code": "DICT_TYPE_CONVERT", "message": "Only dictionaries may be used"}]}
        )
    return found


def parse(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise errors.invalid_json() from None


def number(request: web.Request, name: str) -> int:
    """An id in the path. The routes let only digits through."""
    return int(request.match_info[name])


def flag(request: web.Request, name: str) -> bool:
    """A boolean of the query, as "1" or "true"."""
    return request.query.get(name, "").lower() in ("1", "true")
