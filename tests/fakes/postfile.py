"""A file in Discord's place, for a bot that is killed: it outlives the bot and keeps every post."""

import json
import os
from collections import Counter
from collections.abc import Collection, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from dispinmap.outbox.destination import OutgoingMessage


class PostFile:
    """One line a post, its number being the post's id. A repeated nonce is dropped, as Discord drops it for a while."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch()

    async def send(self, message: OutgoingMessage) -> int:
        for number, post in enumerate(self._posts(), 1):
            if post["nonce"] == message.nonce:
                return number
        ids = [id_ for card in message.cards for id_ in card.submission_ids]
        line = json.dumps({"nonce": message.nonce, "channel": message.channel_id, "ids": ids}) + "\n"
        with self._path.open("ab", buffering=0) as file:  # one write: a kill leaves no half line
            file.write(line.encode())
            os.fsync(file.fileno())
        return len(self._posts())

    async def find(self, channel_id: int, submission_ids: Collection[int], since: datetime) -> Mapping[int, int]:  # noqa: ARG002 - every post is young enough
        found: dict[int, int] = {}
        for number, post in enumerate(self._posts(), 1):
            if post["channel"] == channel_id:
                found = dict.fromkeys(set(post["ids"]).intersection(submission_ids), number) | found
        return found

    def posted(self) -> Counter[tuple[int, int]]:
        """How often each submission was posted in each channel."""
        return Counter((post["channel"], id_) for post in self._posts() for id_ in post["ids"])

    def messages(self) -> Counter[int]:
        """How many posts each channel got."""
        return Counter(post["channel"] for post in self._posts())

    def _posts(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self._path.read_text(encoding="utf-8").splitlines()]
