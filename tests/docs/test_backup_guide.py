"""The founding guide's commands run as written.

| The guide's lines | Where they run |
|---|---|
| Method 1: gsutil, lz4, sqlite3 | `test_method_1_gets_a_database`, ours: `test_our_method_1_is_whole` |
| Method 2: gcloud | Nowhere: it needs Google's cloud; docs/cloud-run.md has it |
| alembic init | Nowhere: the guide itself says that it is done |
| alembic revision, upgrade, current, history, downgrade | tests/docs/test_database_guide.py, on docs/schema.md |
| litestream restore, and by hand | `test_the_backup_is_restored` |
| validate_litestream.py, and by hand | `test_the_backup_is_validated` |
| Migration testing | `test_a_migration_is_tested` |
| Useful queries | `test_the_useful_queries_answer` |
| Environment variables | `test_the_environment_variables_mean_what_the_guide_says` |
| litestream.yml | tests/backup/test_configuration_effective.py |

The guide names folders of a container (/app, /tmp) and says LATEST for a generation: both are filled in. Google's
storage is an emulator, asked by a stand-in for gsutil; Litestream is the real 0.3.13.
"""

import json
import re
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import lz4.frame
import pytest

from dispinmap.database.revisions import head
from dispinmap.database.verify import revision
from tests.docs.conftest import ORIGINAL_BUCKET
from tests.docs.pages import ROOT, blocks, read
from tests.docs.playing import Operator
from tests.migrations import legacy

GUIDE = ROOT.parent / "shared" / "seed" / "database-architecture-guide.md"

METHOD_1 = """
gsutil ls gs://dispinmap-bot-sqlite-backups/db/generations/
LATEST_GEN=$(gsutil ls gs://dispinmap-bot-sqlite-backups/db/generations/ | tail -1)
gsutil cp ${LATEST_GEN}snapshots/00000000.snapshot.lz4 ./production_snapshot.lz4
lz4 -d production_snapshot.lz4 production_backup.db
sqlite3 production_backup.db
"""
RESTORE = """
litestream restore -config /app/litestream.yml /tmp/pinball_bot.db
gsutil cp gs://dispinmap-bot-sqlite-backups/db/generations/LATEST/snapshots/00000000.snapshot.lz4 ./
lz4 -d 00000000.snapshot.lz4 restored.db
"""
VALIDATE = """
python scripts/validate_litestream.py
sqlite3 backup.db ".schema"
sqlite3 backup.db "SELECT COUNT(*) FROM monitoring_targets;"
"""
MIGRATE = """
gsutil cp gs://dispinmap-bot-sqlite-backups/db/generations/LATEST/snapshots/00000000.snapshot.lz4 ./
lz4 -d 00000000.snapshot.lz4 test_migration.db
SQLALCHEMY_URL=sqlite:///test_migration.db alembic stamp 6f6f6afb1af3  # Current version
SQLALCHEMY_URL=sqlite:///test_migration.db alembic upgrade head
sqlite3 test_migration.db ".schema monitoring_targets"
sqlite3 test_migration.db "SELECT COUNT(*) FROM monitoring_targets;"
"""
QUERIES = """
PRAGMA table_info(monitoring_targets);
SELECT sql FROM sqlite_master WHERE name='monitoring_targets';
SELECT channel_id, target_type, target_data, COUNT(*) as count
FROM monitoring_targets
GROUP BY channel_id, target_type, target_data
HAVING COUNT(*) > 1;  -- Find duplicates
SELECT version_num FROM alembic_version;
"""
ON_THE_SCHEMA_PAGE = """
alembic revision --autogenerate -m "description"
alembic upgrade head
alembic current
alembic history
alembic downgrade -1
"""
NOT_RUN = """
CONTAINER_ID=$(gcloud run services describe dispinmap-bot --region=us-central1 \
--format="value(status.latestRevisionName)")
gcloud run services proxy dispinmap-bot --port=8080
alembic init alembic
"""
PLAYED = (METHOD_1, RESTORE, VALIDATE, MIGRATE, QUERIES, ON_THE_SCHEMA_PAGE)


def lines(text: str) -> list[str]:
    """Without comments that have a line of their own."""
    return [line for line in text.splitlines() if line and not line.startswith(("#", "--"))]


@pytest.fixture
def operator(original: str, dispinmap: str, tmp_path: Path) -> Operator:
    """With the environment that the guide's container has."""
    operator = Operator(tmp_path / "bot", dispinmap, {"STORAGE_EMULATOR_HOST": original})
    operator.settings |= {"LITESTREAM_BUCKET": ORIGINAL_BUCKET, "LITESTREAM_PATH": str(operator.database)}
    return operator


def filled_in(script: str, operator: Operator) -> str:
    """Our folder for the container's, and the generation's name for LATEST."""
    with urlopen(f"{operator.settings['STORAGE_EMULATOR_HOST']}/storage/v1/b/{ORIGINAL_BUCKET}/o") as answer:  # noqa: S310
        (generation, *_) = {each["name"].split("/")[2] for each in json.load(answer)["items"]}
    return re.sub(" /(app|tmp)/", f" {operator.folder}/", script).replace("/LATEST/", f"/{generation}/")


def count(file: Path) -> int:
    (number,) = legacy.rows(file, "SELECT COUNT(*) FROM monitoring_targets")
    return int(number)


def test_every_line_of_the_guide_is_in_the_table() -> None:
    if not GUIDE.is_file():
        pytest.skip("the guide is not beside this checkout")
    guide = GUIDE.read_text(encoding="utf-8")
    theirs = [line for block in blocks(guide, "bash") for line in lines(block)]
    queries = next(block for block in blocks(guide, "sql") if "PRAGMA" in block)
    ours = [line for script in (*PLAYED, NOT_RUN) for line in lines(script)]
    assert sorted({*theirs, *lines(queries)}) == sorted(set(ours))


def test_lines_not_run_here_are_on_their_page() -> None:
    assert set(lines(ON_THE_SCHEMA_PAGE)) <= set(read("docs/schema.md").splitlines())
    assert "gcloud run services describe dispinmap-bot --region=us-central1" in read("docs/cloud-run.md")
    assert "gcloud run services proxy dispinmap-bot" in read("docs/cloud-run.md")


async def test_method_1_gets_a_database(operator: Operator) -> None:
    said = await operator.types(METHOD_1.rstrip() + ' "PRAGMA integrity_check;"')
    assert said.startswith(f"gs://{ORIGINAL_BUCKET}/db/generations/")
    assert said.endswith("ok\n")
    assert count(operator.folder / "production_backup.db") == len(legacy.TARGETS)


async def test_our_method_1_is_whole(operator: Operator) -> None:
    await operator.types(f"dispinmap backup fetch --from gcs://{ORIGINAL_BUCKET}/db")
    assert count(operator.folder / "production_backup.db") == len(legacy.TARGETS)


async def test_the_backup_is_restored(operator: Operator) -> None:
    await operator.types(filled_in(RESTORE, operator))
    assert count(operator.database) == count(operator.folder / "restored.db") == len(legacy.TARGETS)


async def test_the_backup_is_validated(operator: Operator) -> None:
    await operator.types("dispinmap backup restore --to backup.db")
    said = await operator.types(VALIDATE)
    assert "The backup is good." in said
    assert "CREATE TABLE monitoring_targets" in said
    assert said.endswith(f"\n{len(legacy.TARGETS)}\n")


async def test_a_migration_is_tested(operator: Operator) -> None:
    said = await operator.types(filled_in(MIGRATE, operator))
    assert "unique_channel_location" in said
    assert said.endswith("\n8\n")
    assert revision(f"sqlite:///{operator.folder / 'test_migration.db'}") == head()


async def test_the_useful_queries_answer(operator: Operator) -> None:
    """The one for duplicates names a column that only the original's tables have."""
    await operator.types("dispinmap backup fetch")
    await operator.types("SQLALCHEMY_URL=sqlite:///production_backup.db alembic stamp 6f6f6afb1af3")
    said = await operator.types(f'sqlite3 production_backup.db "{QUERIES.replace("  -- Find duplicates", "")}"')
    assert "target_data" in said
    assert f"11|city|{legacy.AUSTIN}|2" in said
    assert said.endswith("6f6f6afb1af3\n")


async def test_the_environment_variables_mean_what_the_guide_says(operator: Operator) -> None:
    said = await operator.types("dispinmap backup config")
    assert f"path: {operator.database}" in said
    assert f"bucket: {ORIGINAL_BUCKET}" in said
    assert "type: gcs" in said
    await operator.types("SQLALCHEMY_URL=sqlite:///other.db alembic upgrade head")
    assert revision(f"sqlite:///{operator.folder / 'other.db'}") == head()
    assert not operator.database.exists()


def test_the_stand_in_unpacks_like_lz4(tmp_path: Path) -> None:
    data = b"a database" * 1000
    (tmp_path / "packed.lz4").write_bytes(lz4.frame.compress(data))
    stand_in = Path(__file__).with_name("lz4_program.py")
    subprocess.run((sys.executable, stand_in, "-d", "packed.lz4", "unpacked.db"), cwd=tmp_path, check=True)
    assert (tmp_path / "unpacked.db").read_bytes() == data
