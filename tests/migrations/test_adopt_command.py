"""`dispinmap db adopt` as people use it."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.migrations import shapes
from tests.migrations.legacy import rows


def dispinmap(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In `folder`, where its database is, without any token."""
    unwanted = ("DISCORD_TOKEN", "SQLALCHEMY_URL", "LITESTREAM_PATH", "DATABASE_PATH")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted}
    return subprocess.run(
        [Path(sys.executable).with_name("dispinmap"), "db", "adopt", *arguments],
        cwd=folder,
        env={**environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_plan_is_shown_first_and_then_carried_out(tmp_path: Path) -> None:
    shapes.redesign(tmp_path / "old.db")
    plan = dispinmap(tmp_path, "old.db", "--dry-run")
    assert plan.returncode == 0, plan.stderr
    assert "geographic “Austin, Texas, US” (30.26715,-97.74306,25)" in plan.stdout
    assert "Targets: 5 (5 same). None is lost." in plan.stdout
    assert "Nothing was written: run it again without --dry-run." in plan.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["old.db"]

    done = dispinmap(tmp_path, "old.db")
    assert "Written to sqlite:///pinball_bot.db." in done.stdout
    assert rows(tmp_path / "pinball_bot.db", "SELECT COUNT(*) FROM monitoring_targets") == [5]


def test_json_has_the_same_report(tmp_path: Path) -> None:
    shapes.no_coordinates(tmp_path / "old.db")
    answer = dispinmap(tmp_path, "old.db", "--json", "--no-geocoding", "--into", f"sqlite:///{tmp_path / 'new.db'}")
    report = json.loads(answer.stdout)
    assert report["counts"] == {"same": 3, "found again": 0, "merged": 0, "marked": 5}
    assert report["targets"][0] == {
        "old_id": 1,
        "channel_id": 11,
        "was": "location “Austin Pinball Collective” (26454)",
        "becomes": "location “Austin Pinball Collective” (26454)",
        "fate": "same",
        "new_id": 1,
        "note": "",
    }
    assert (report["dry_run"], report["seen"], report["new_channels"]) == (False, 3, 4)


def test_what_cannot_be_adopted_ends_with_a_sentence(tmp_path: Path) -> None:
    answer = dispinmap(tmp_path, "nowhere.db")
    assert answer.returncode == 1
    assert "There is no file" in answer.stderr
    assert "Traceback" not in answer.stderr
