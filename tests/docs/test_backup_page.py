"""The backup's pages quote the bot and show the lease as they are."""

import json
import re

from dispinmap.backup.lease.record import decode
from dispinmap.backup.models import Replica, StorageKind
from dispinmap.settings import Settings
from tests.docs.pages import blocks, read, rows, sections, source_texts

RUNBOOKS = sections(read("docs/backup-runbooks.md"), 2)


def test_the_lease_shown_is_one() -> None:
    (shown,) = blocks(read("docs/backup-theory.md"), "json")
    record = decode(shown.encode(), "the page's lease")
    assert (record.holder, record.released, record.seconds) == (record.writer, False, Settings.lease_seconds)
    assert json.loads(shown)["nonce"]


def test_both_litestreams_have_the_same_lease() -> None:
    both = {Replica(StorageKind.GCS, path, "b").lease_path for path in ("db", "db-v5")}
    assert both == {"db.lease"}


def test_the_tables_of_troubles_quote_what_the_bot_says() -> None:
    starts = [cells[3] for cells in rows(RUNBOOKS["What a start does"])]
    troubles = [cells[0] for cells in rows(RUNBOOKS["Troubleshooting"])]
    quoted = [text for cell in (*starts, *troubles) for text in re.findall(r"`([^`]+)`", cell)]
    assert len(quoted) > 25
    assert not [text for text in quoted if not any(text in said for said in source_texts())]


def test_the_runbooks_quote_what_the_bot_says() -> None:
    for page, text in (
        ("backup", "drill_passed"),
        ("backup-theory", "final_sync_done"),
        ("backup-runbooks", "is not a lease as this version writes them"),
    ):
        assert f"`{text}`" in read(f"docs/{page}.md")
        assert any(text in said for said in source_texts()), text
