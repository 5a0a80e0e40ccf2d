"""The `alembic` command lines of the guide, as written, from the project's root."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from dispinmap.database.revisions import LEGACY_REVISION, head
from dispinmap.database.verify import revision
from tests.migrations.legacy import rows, write

ROOT = Path(__file__).parents[2]


def alembic(path: Path, *arguments: str, config: Path = ROOT / "alembic.ini") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("alembic"), "-c", config, *arguments],
        cwd=ROOT,
        env={**os.environ, "SQLALCHEMY_URL": f"sqlite:///{path}"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_legacy_copy_is_stamped_upgraded_and_taken_back_by_hand(legacy_file: Path) -> None:
    url = f"sqlite:///{legacy_file}"
    assert alembic(legacy_file, "stamp", LEGACY_REVISION).returncode == 0
    assert alembic(legacy_file, "upgrade", "head").returncode == 0
    assert revision(url) == head()
    assert f"{head()} (head)" in alembic(legacy_file, "current").stdout
    assert "No new upgrade operations" in alembic(legacy_file, "check").stdout
    assert alembic(legacy_file, "downgrade", "-1").returncode == 0
    assert revision(url) != head()
    assert rows(legacy_file, "SELECT COUNT(*) FROM monitoring_targets") == [8]


def test_history_lists_the_chain(tmp_path: Path) -> None:
    history = alembic(tmp_path / "none.db", "history").stdout
    assert f"<base> -> {LEGACY_REVISION}" in history
    assert "(head)" in history


def test_an_unchanged_schema_makes_an_empty_revision(database_file: Path, tmp_path: Path) -> None:
    package = ROOT / "src" / "dispinmap" / "database" / "migrations"
    copy = shutil.copytree(package, tmp_path / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    config = tmp_path / "alembic.ini"
    config.write_text((ROOT / "alembic.ini").read_text().replace("dispinmap.database:migrations", str(copy)))
    before = set((copy / "versions").glob("*.py"))
    made = alembic(database_file, "revision", "--autogenerate", "-m", "nothing new", config=config)
    assert made.returncode == 0, made.stderr
    (new,) = set((copy / "versions").glob("*.py")) - before
    assert f'down_revision = "{head()}"' in new.read_text()
    assert "op." not in new.read_text()


def test_writing_sql_instead_of_running_it_is_refused_with_a_sentence(tmp_path: Path) -> None:
    answer = alembic(tmp_path / "none.db", "upgrade", "head", "--sql")
    assert answer.returncode != 0
    assert "run the command without --sql" in answer.stdout
    assert "Traceback" not in answer.stderr


def test_an_unknown_stamp_is_refused_with_a_sentence(database_file: Path) -> None:
    write(database_file, "UPDATE alembic_version SET version_num = 'ffffffffffff'")
    answer = alembic(database_file, "upgrade", "head")
    assert answer.returncode != 0
    assert "ffffffffffff" in answer.stdout
    assert "Traceback" not in answer.stderr
