"""The commands and queries of docs/database.md and docs/schema.md run as written, in the project's root."""

import ast
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from dispinmap.database.chain import scripts
from dispinmap.database.revisions import head
from dispinmap.database.tables import Base
from dispinmap.database.verify import revision
from tests.docs.pages import ROOT, read, rows, sections
from tests.migrations import legacy, shapes

SCHEMA = read("docs/schema.md")
PAGE = read("docs/database.md") + SCHEMA
PROGRAMS = Path(sys.executable).parent
_BLOCK = re.compile(
    r"(?:^<!-- not run: (?P<reason>[^\n]+) -->\n)?^```(?P<language>\w+)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL
)


@dataclass(frozen=True)
class Block:
    """A block of code of the pages; `reason` says why it cannot be run here, if it cannot."""

    language: str
    body: str
    reason: str | None

    @property
    def name(self) -> str:
        """Its first line that is not a comment."""
        lines = [line for line in self.body.splitlines() if not line.startswith(("#", "--"))]
        return lines[0]


BLOCKS = [Block(found["language"], found["body"], found["reason"]) for found in _BLOCK.finditer(PAGE)]
RUN = [block for block in BLOCKS if block.reason is None]


def of(language: str) -> pytest.MarkDecorator:
    """One test for each block of this language that can be run."""
    chosen = [block for block in RUN if block.language == language]
    return pytest.mark.parametrize("block", chosen, ids=lambda block: block.name)


@pytest.fixture(scope="module")
def made_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root as far as these commands see it: the bot's database, an old one, and revisions that may be added to."""
    root = tmp_path_factory.mktemp("project")
    package = ROOT / "src" / "dispinmap" / "database" / "migrations"
    shutil.copytree(package, root / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    (root / "alembic.ini").write_text(read("alembic.ini").replace("dispinmap.database:migrations", "migrations"))
    shapes.ours(root / "pinball_bot.db")
    legacy.create(root / "old.db")
    if shutil.which("sqlite3") is None:
        shell = root / "bin" / "sqlite3"
        shell.parent.mkdir()
        shell.write_text(f'#!/bin/sh\nexec {sys.executable} {Path(__file__).with_name("sqlite_shell.py")} "$@"\n')
        shell.chmod(0o755)
    return root


@pytest.fixture
def project(made_project: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made_project, tmp_path / "project"))


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    unwanted = ("SQLALCHEMY_URL", "LITESTREAM_PATH", "DATABASE_PATH", "DISCORD_TOKEN")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    environment["PATH"] = os.pathsep.join((str(PROGRAMS), environment.get("PATH", ""), str(folder / "bin")))
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 -- the shell people have
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@of("sh")
def test_a_block_of_commands_runs_as_written(block: Block, project: Path) -> None:
    done = run(block.body, project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if "test_migration.db" in block.body:
        assert revision(f"sqlite:///{project / 'test_migration.db'}") == head()
        assert legacy.rows(project / "test_migration.db", "SELECT COUNT(*) FROM monitoring_targets") == [8]


@of("sql")
def test_a_block_of_sql_runs_as_written(block: Block, project: Path) -> None:
    with closing(sqlite3.connect(project / "pinball_bot.db")) as connection:
        for statement in filter(str.strip, block.body.split(";\n")):
            assert sqlite3.complete_statement(statement + ";")
            connection.execute(statement).fetchall()


@of("python")
def test_a_block_of_python_is_python(block: Block) -> None:
    ast.parse(block.body)


def test_the_stand_in_answers_like_sqlite3(made_project: Path) -> None:
    if shutil.which("sqlite3") is None:
        pytest.skip("there is no sqlite3 to compare with")
    stand_in = f"{sys.executable} {Path(__file__).with_name('sqlite_shell.py')}"
    for question in ("SELECT COUNT(*) FROM monitoring_targets;", "SELECT 1, NULL; SELECT 2;"):
        real, other = (run(f'{program} pinball_bot.db "{question}"', made_project) for program in ("sqlite3", stand_in))
        assert real.stdout == other.stdout != ""
    schema = run(f'{stand_in} pinball_bot.db ".schema monitoring_targets"', made_project).stdout
    assert "unique_channel_location" in schema
    assert "unique_channel_area" in schema


def test_every_block_runs_or_says_why_not() -> None:
    assert {block.language for block in RUN} == {"sh", "sql", "python"}
    assert len([block for block in BLOCKS if block.reason is not None]) == 2
    assert PAGE.count("```") == 2 * len(BLOCKS)


def test_the_table_lists_every_revision_in_order() -> None:
    listed = [cells[0].strip("`") for cells in rows(sections(SCHEMA, 3)["Every revision"])][1:]
    assert listed == [script.revision for script in reversed(list(scripts().walk_revisions()))]


def test_the_schema_shown_is_the_live_one(project: Path) -> None:
    shown = next(block.body for block in RUN if "example_of_monitoring_targets" in block.body)
    with closing(sqlite3.connect(project / "pinball_bot.db")) as connection:
        connection.executescript(shown)
        both = [
            {row[1:] for row in connection.execute(f"PRAGMA table_info({table})")}
            for table in ("monitoring_targets", "example_of_monitoring_targets")
        ]
    assert both[0] == both[1]


def test_every_table_is_explained() -> None:
    for table in Base.metadata.tables:
        assert table in SCHEMA
