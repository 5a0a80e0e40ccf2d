"""The power may go at any moment of an adoption: the bot's database is as before, or has everything."""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from sqlalchemy import Connection, Engine, event

from dispinmap.database.adopt.adoption import Adopter
from dispinmap.database.verify import verify
from tests.migrations import shapes

SPACING = 16
"""Every so many statements on the bot's database the process is killed; the rest is like its neighbours."""


STARTED = f"'{datetime.now(UTC):%Y-%m-%d}"
_TIME = re.compile(r"'\d{4}-\d\d-\d\d [\d:.]+'")


def dump(path: Path) -> list[str]:
    """Everything in the file, as SQL; when its youngest rows were made is each adoption's own."""
    with closing(sqlite3.connect(path)) as connection:
        return [_TIME.sub(_without_now, line) for line in connection.iterdump()]


def _without_now(time: re.Match[str]) -> str:
    return "now" if time[0] >= STARTED else time[0]


def killed_at(old: Path, new: Path, number: int) -> bool:
    """Adopt in a child that dies just before its statement or commit `number` on `new`; False if it finished before."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            _adopt_and_die(old, new, number)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def _adopt_and_die(old: Path, new: Path, number: int) -> None:
    moments = count(1)

    def next_moment(connection: Connection, *_: object) -> None:
        if connection.engine.url.database == str(new) and next(moments) == number:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", next_moment)
    event.listen(Engine, "commit", next_moment)
    asyncio.run(Adopter(None).adopt(old, f"sqlite:///{new}"))


def test_an_adoption_killed_anywhere_leaves_the_database_as_before(tmp_path: Path, migrated_file: Path) -> None:
    old = shapes.early(tmp_path / "old.db")
    whole = Path(shutil.copy(migrated_file, tmp_path / "whole.db"))
    assert not killed_at(old, whole, 10**6)
    outcomes = []
    for number in count(1, SPACING):
        new = Path(shutil.copy(migrated_file, tmp_path / f"{number}.db"))
        if not killed_at(old, new, number):
            break
        assert verify(f"sqlite:///{new}") == []
        outcomes.append(dump(new))
        assert dump(new) in (dump(migrated_file), dump(whole))
    assert dump(migrated_file) in outcomes
    assert len(outcomes) > 3
