"""docs/monitoring.md lists the parts and metrics that the bot shows."""

import re

from dispinmap.health import REPORT, judge
from dispinmap.web.look import START, Look
from dispinmap.web.metrics import exposition
from tests.docs.pages import blocks, code, read, rows, sections
from tests.fakes.reports import WELL

PAGE = read("docs/monitoring.md")
PAGES_SECTION = sections(PAGE, 2)["The pages"]


def test_the_table_lists_the_parts_of_the_bot() -> None:
    listed = [cells[0].strip("`") for cells in rows(PAGES_SECTION)][1:]
    assert listed == list(judge(WELL))
    assert {START, REPORT} <= set(code(PAGES_SECTION))


def test_every_metric_is_listed_with_its_help_text() -> None:
    text = exposition(Look(WELL, judge(WELL)), "")[0].decode()
    shown = next(block for block in blocks(PAGE) if "dispinmap_ready" in block).splitlines()
    assert [line.split(maxsplit=1) for line in shown] == [
        [name + _label(name, text), words]
        for name, words in re.findall(r"^# HELP (dispinmap_\w+) (.+)$", text, re.MULTILINE)
    ]


def _label(name: str, text: str) -> str:
    """In braces, if the metric has a label with several values."""
    labels = re.search(rf"^{name}\{{(\w+)=[^,}}]*\}}", text, re.MULTILINE)
    return f"{{{labels[1]}}}" if labels else ""
