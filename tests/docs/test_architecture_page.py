"""docs/architecture.md shows the imports, contracts and versions of the code."""

import re
import tomllib
from collections import defaultdict

import grimp

from tests.docs.pages import code, read, rows, sections

PAGE = read("docs/architecture.md")
SECTIONS = sections(PAGE, 2)
BOT, SANDBOX = "dispinmap", "dispinmap_sandbox"
EVERYBODYS = {"backoff", "clock", "errors"}


def _part(module: str) -> str:
    """Of the bot, its package or module below the root; the sandbox is one part."""
    package, _, below = module.partition(".")
    return SANDBOX if package == SANDBOX else below.partition(".")[0]


def test_the_import_table_is_what_the_code_imports() -> None:
    graph = grimp.build_graph(BOT, SANDBOX)
    imported: defaultdict[str, set[str]] = defaultdict(set)
    for module in graph.modules - {BOT, f"{BOT}.__main__"}:
        reached = {_part(found) for found in graph.find_modules_directly_imported_by(module)}
        imported[_part(module)] |= reached - {_part(module)} - EVERYBODYS
    drawn = {cells[0].strip("`"): set(code(cells[1])) for cells in rows(SECTIONS["Who may import whom"])}
    del drawn["Part"]
    # The command line may import every part; the contracts say which parts may import the command line.
    drawn["cli"] |= imported["cli"]
    assert drawn == {part: parts for part, parts in imported.items() if part not in EVERYBODYS}


def test_no_module_imports_in_a_circle() -> None:
    graph = grimp.build_graph(BOT, SANDBOX)
    for module in graph.modules:
        for imported in graph.find_modules_directly_imported_by(module):
            assert not graph.chain_exists(imported, module), f"{module} and {imported}"


def test_every_contract_is_named() -> None:
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    listed = re.findall(r"^- (.+)$", SECTIONS["Who may import whom"], re.MULTILINE)
    assert listed == [contract["name"] for contract in contracts]


def test_every_dependency_is_explained_with_its_pinned_version() -> None:
    declared = tomllib.loads(read("pyproject.toml"))["project"]["dependencies"]
    names = {_distribution(requirement) for requirement in declared}
    pinned = dict(re.findall(r"^([a-z0-9-]+)==([\w.]+)", read("requirements.lock"), re.MULTILINE))
    table = {_distribution(cells[0]): cells[1] for cells in rows(SECTIONS["What we did not write"])}
    del table["dependency"]
    assert {name: version.removesuffix(" (beta)") for name, version in table.items()} == {
        name: pinned[name] for name in names
    }


def _distribution(requirement: str) -> str:
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return name[0].lower().replace(".", "-")
