"""docs/sandbox.md names files that exist, and its snippet runs."""

import ast

from dispinmap_sandbox.pinballmap_server import PinballMapServer
from dispinmap_sandbox.world import World
from tests.docs.pages import ROOT, blocks, code, read, rows
from tests.fakes.clock import ManualClock

PAGE = read("docs/sandbox.md")


def test_every_file_of_the_table_exists() -> None:
    files = [name for cells in rows(PAGE) if cells[0] != "Part" for name in code(cells[1])]
    assert files
    for name in files:
        assert (ROOT / "src/dispinmap_sandbox" / name).exists(), name


async def test_the_snippet_runs_as_written(clock: ManualClock) -> None:
    (snippet,) = blocks(PAGE, "python")
    compiled = compile(snippet, "docs/sandbox.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    names = {"World": World, "PinballMapServer": PinballMapServer, "clock": clock}
    await eval(compiled, names)  # noqa: S307 -- the page's own lines
    assert names["row"]
