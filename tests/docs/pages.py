"""The project's pages as values: their links, tables and blocks of code; and the texts in the source."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md")))
TEXTS = (*PAGES, ROOT / ".env.example")
BLANK = "\0"
"""Stands in a text of the source for what is filled in while the bot runs."""

_FENCED = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"!?\[[^\]]*\]\((?P<to>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_CELL = re.compile(r"(?<!\\)\|")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """Without blocks of code."""
    return _FENCED.sub("", text)


def blocks(text: str, language: str = "") -> list[str]:
    """The blocks of code written in `language`."""
    return [found["body"] for found in _FENCED.finditer(text) if found["language"] == language]


def code(text: str) -> list[str]:
    """Every piece of code: within lines, and each line of a block."""
    lines = [line for found in _FENCED.finditer(text) for line in found["body"].splitlines()]
    return [*_CODE.findall(prose(text)), *lines]


def links(text: str) -> list[str]:
    return [found["to"] for found in _LINK.finditer(prose(text))]


def anchors(text: str) -> set[str]:
    """What a link can name after "#", as GitHub makes it of a heading."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(prose(text))}


def rows(text: str) -> Iterator[list[str]]:
    """The cells of every table row, the rules between head and body left out."""
    for line in prose(text).splitlines():
        if line.startswith("|") and not re.fullmatch(r"[|\s:-]+", line):
            yield [cell.strip() for cell in _CELL.split(line.strip().strip("|"))]


def sections(text: str, level: int) -> dict[str, str]:
    """Heading of this level to what stands below it, up to the next heading of this level or above."""
    parts = re.split(rf"^(#{{1,{level}}}) (.+)$", text, flags=re.MULTILINE)
    found = zip(parts[1::3], parts[2::3], parts[3::3], strict=True)
    return {heading: body for marks, heading, body in found if len(marks) == level}


@cache
def source_texts() -> tuple[str, ...]:
    """Every text in the source."""
    modules = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted((ROOT / "src").rglob("*.py"))]
    return tuple(text for module in modules for node in ast.walk(module) for text in _texts(node))


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else BLANK for part in node.values)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
