"""`dispinmap db`, as an operator types it."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from dispinmap.cli.main import app
from dispinmap.database.revisions import LEGACY_REVISION, head
from dispinmap.database.useful import QUERIES
from tests.migrations import legacy
from tests.migrations.legacy import rows, write

Db = Callable[..., Result]


@pytest.fixture
def db(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Db:
    """Runs `dispinmap db …` without a token, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("DISCORD_TOKEN", "SQLALCHEMY_URL", "LITESTREAM_PATH", "DATABASE_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("dispinmap.log.configure", lambda *_: None)
    return lambda *arguments: CliRunner().invoke(app, ["db", *arguments])


def url(path: Path) -> str:
    return f"--url=sqlite:///{path}"


def answer(result: Result) -> dict[str, object]:
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(
        result.stdout[result.stdout.index("\n{" if "\n{" in result.stdout else "{") :]
    )
    return found


def test_upgrade_brings_a_legacy_file_to_head_and_says_so(db: Db, tmp_path: Path) -> None:
    path = legacy.create(tmp_path / "legacy.db")
    result = db("upgrade", url(path))
    assert result.exit_code == 0
    assert f"The database is at {head()} and was checked." in result.stdout
    assert "copy" in result.stderr
    assert rows(path, "SELECT COUNT(*) FROM monitoring_targets") == [8]


def test_upgrade_tells_both_revisions_as_json(tmp_path: Path) -> None:
    path = legacy.create(tmp_path / "legacy.db")
    command = [str(Path(sys.executable).with_name("dispinmap")), "db", "upgrade", url(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert json.loads(done.stdout) == {"before": None, "after": head(), "changed": True}
    assert "targets_merged" in done.stderr


@pytest.mark.parametrize("variable", ["SQLALCHEMY_URL", "LITESTREAM_PATH", "DATABASE_PATH"])
def test_the_database_is_the_bot_s(db: Db, database_file: Path, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, f"sqlite:///{database_file}" if variable == "SQLALCHEMY_URL" else str(database_file))
    assert answer(db("current", "--json")) == {"revision": head(), "head": head()}


def test_downgrade_takes_one_step_or_many_back(db: Db, database_file: Path) -> None:
    assert answer(db("downgrade", "-1", url(database_file), "--json"))["before"] == head()
    assert answer(db("downgrade", LEGACY_REVISION, url(database_file), "--json"))["after"] == LEGACY_REVISION
    assert f"this version needs {head()}" in db("current", url(database_file)).stdout


def test_an_error_is_a_sentence_and_exits_with_one(tmp_path: Path) -> None:
    command = [
        str(Path(sys.executable).with_name("dispinmap")),
        "db",
        "downgrade",
        "nowhere",
        url(tmp_path / "none.db"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert "There is no database to downgrade" in done.stderr
    assert "Traceback" not in done.stderr


def test_history_shows_the_chain_and_where_the_database_is(db: Db, database_file: Path) -> None:
    shown = db("history", url(database_file)).stdout
    assert LEGACY_REVISION in shown
    assert shown.count("the database is here") == 1
    listed = json.loads(db("history", url(database_file), "--json").stdout)
    assert listed[0]["revision"] == head()
    assert [each["current"] for each in listed].count(True) == 1


def test_verify_of_a_good_database_exits_with_zero(db: Db, database_file: Path) -> None:
    assert "as this version needs it" in db("verify", url(database_file)).stdout
    assert answer(db("verify", url(database_file), "--json")) == {"problems": [], "notes": []}


def test_verify_says_what_is_wrong_and_exits_with_one(db: Db, database_file: Path) -> None:
    write(database_file, "DROP INDEX unique_channel_area")
    result = db("verify", url(database_file))
    assert result.exit_code == 1
    assert "index unique_channel_area is missing" in result.stdout


def test_verify_of_a_missing_database_creates_none(db: Db, tmp_path: Path) -> None:
    assert db("verify", url(tmp_path / "none.db")).exit_code == 1
    assert not (tmp_path / "none.db").exists()


def test_verify_names_targets_that_cannot_be_watched(db: Db, tmp_path: Path) -> None:
    path = legacy.create(tmp_path / "legacy.db")
    db("upgrade", url(path))
    result = db("verify", url(path))
    assert result.exit_code == 0
    for note in ("Channel 11, target 3: ", "Channel 11, target 6: ", "Channel 12, target 8: "):
        assert note in result.stdout
    assert "remove it and add it again" in result.stdout


def test_backup_copies_a_database_in_use(db: Db, database_file: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    with closing(sqlite3.connect(database_file)) as bot:
        bot.execute("INSERT INTO channel_configs (channel_id, guild_id) VALUES (1, 1)")
        bot.commit()
        bot.execute("INSERT INTO channel_configs (channel_id, guild_id) VALUES (2, 1)")
        assert answer(db("backup", str(target), url(database_file), "--json"))["file"] == str(target)
    assert rows(target, "SELECT channel_id FROM channel_configs") == [1]
    assert db("verify", url(target)).exit_code == 0


def test_backup_finds_a_name_itself_and_never_overwrites(db: Db, database_file: Path) -> None:
    made = str(answer(db("backup", url(database_file), "--json"))["file"])
    assert Path(made).name.startswith(f"{database_file.name}.20")
    refused = db("backup", made, url(database_file))
    assert refused.exit_code == 1
    assert "exists already" in str(refused.exception)


def test_backup_to_a_missing_folder_is_refused(db: Db, database_file: Path, tmp_path: Path) -> None:
    refused = db("backup", str(tmp_path / "nowhere" / "copy.db"), url(database_file))
    assert "cannot be copied to" in str(refused.exception)


def test_backup_of_nothing_is_refused(db: Db, tmp_path: Path) -> None:
    assert "existing SQLite file can be copied" in str(db("backup", url(tmp_path / "none.db")).exception)


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_has_an_answer(db: Db, database_file: Path, name: str) -> None:
    assert db("queries", name, url(database_file)).exit_code == 0
    assert isinstance(json.loads(db("queries", name, url(database_file), "--json").stdout), list)


def test_queries_are_listed_with_what_they_tell(db: Db) -> None:
    shown = db("queries").stdout
    assert all(name in shown for name in QUERIES)


def test_the_query_for_problems_finds_what_verify_notes(db: Db, tmp_path: Path) -> None:
    path = legacy.create(tmp_path / "legacy.db")
    db("upgrade", url(path))
    found = json.loads(db("queries", "problems", url(path), "--json").stdout)
    assert [row["id"] for row in found] == [3, 6, 8]


def test_an_unknown_query_is_answered_with_the_known_ones(db: Db, database_file: Path) -> None:
    assert "choose one of structure" in str(db("queries", "mood", url(database_file)).exception)


def test_a_query_on_a_legacy_file_says_what_is_missing(db: Db, tmp_path: Path) -> None:
    path = legacy.create(tmp_path / "legacy.db")
    assert "no such table: messages" in str(db("queries", "unsent", url(path)).exception)
