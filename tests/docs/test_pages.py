"""What the pages name exists: links, commands, files, names from the code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer import Context
from typer.core import TyperGroup

from dispinmap.cli.main import app
from tests.docs.pages import BLANK, PAGES, ROOT, TEXTS, anchors, code, links, read, rows, source_texts

MACHINE = re.compile(r"(?:^|[\s`\"'(=])/(?:work|root|home|Users|tmp|opt)/", re.MULTILINE)
# A backup may go to a folder; packages may not come from one.
DOWNLOADS = re.compile(r"registry\.|index-url|find-links|file://(?!/data/|/var/|/folder)", re.IGNORECASE)


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=_name)
def test_relative_links_and_images_exist(page: Path) -> None:
    for link in links(page.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.is_relative_to(ROOT)
        assert there.exists(), link
        assert not anchor or anchor in anchors(there.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("page", TEXTS, ids=_name)
def test_no_page_names_a_machine_or_a_package_registry(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not MACHINE.search(text)
    assert not DOWNLOADS.search(text)


def test_make_targets_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = {
        target for page in PAGES for piece in code(page.read_text()) for target in re.findall(r"\bmake ([a-z]+)", piece)
    }
    assert {"sandbox", "test", "run"} <= named <= targets


def test_command_lines_exist_with_their_options() -> None:
    lines = [
        found
        for page in PAGES
        for piece in code(page.read_text(encoding="utf-8"))
        for found in re.findall(r"(?:^|bin/|\s)dispinmap ([a-z].*)", piece)
    ]
    assert lines
    for line in lines:
        command = typer.main.get_command(app)
        words = line.split()
        while words and isinstance(command, TyperGroup) and not words[0].startswith("-"):
            inner = command.get_command(Context(command), words.pop(0))
            assert inner is not None, line
            command = inner
        options = {"--help"} | {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, line


def test_files_of_the_project_exist() -> None:
    folders = ("src/", "tests/", "docs/", "benchmarks/", ".ci/")
    for page in PAGES:
        for piece in code(page.read_text(encoding="utf-8")):
            if piece.startswith(folders) and " " not in piece:
                assert list(ROOT.glob(piece.rstrip("/"))), f"{page.name}: {piece}"


def test_names_from_the_code_are_in_the_code() -> None:
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py"))
    for page in PAGES:
        for piece in code(page.read_text(encoding="utf-8")):
            if "_" in piece and re.fullmatch(r"[A-Za-z_.]+", piece):
                assert all(part in source or part.lower() in source for part in piece.split(".")), (
                    f"{page.name}: {piece}"
                )


def test_the_readme_quotes_what_the_bot_says_about_failures() -> None:
    said = "\n".join(source_texts())
    shown = [cells[0] for cells in rows(read("README.md").partition("## When something is wrong")[2])]
    quoted = [text for cell in shown for text in re.findall(r"`([^`/]+)`", cell)]
    assert quoted
    assert not [text for text in quoted if not any(form in said for form in _with_one_blank(text))]


def _with_one_blank(text: str) -> Iterator[str]:
    """The text itself, and with any one of its words left blank."""
    yield text
    words = text.split()
    for place in range(len(words)):
        yield " ".join([*words[:place], BLANK, *words[place + 1 :]])


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page.is_dir():
            ahead += page.glob("*.md")
        elif page in PAGES and page not in reached:
            reached.add(page)
            ahead += [(page.parent / link.partition("#")[0]).resolve() for link in links(page.read_text("utf-8"))]
    assert reached == set(PAGES)
