"""Count the words that make comments, docstrings and sentences read as if translated.

`python scripts/count_prose.py [FOLDER ...]` prints a line for each package below the folders (`src` by default): its
words, and how often in 1,000 of them the words in `STILTED` and "where" occur. It fails if the total is above `LIMITS`.
"""

import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

STILTED: Final = frozenset({"whoever", "whatever", "nobody", "meanwhile", "anew", "thereof"})
LIMITS: Final = {"stilted": 0.3, "where": 0.5}
"""In 1,000 words. Every "where" counts: most of them stood for "if"."""
SENTENCE_WORDS: Final = 3
"""A string of fewer words is a name or a format, not a sentence."""
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z'’]*")


def prose(source: str) -> Iterator[str]:
    """The comments, docstrings and sentences of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and len(_WORD.findall(text)) >= SENTENCE_WORDS:
            yield text


def count(files: list[Path]) -> Counter[str]:
    """Words of these files: all, the stilted ones, and "where"."""
    found: Counter[str] = Counter()
    for file in files:
        for text in prose(file.read_text(encoding="utf-8")):
            words = [word.lower() for word in _WORD.findall(text) if not word.isupper()]  # no SQL
            found["words"] += len(words)
            found["stilted"] += sum(word in STILTED for word in words)
            found["where"] += words.count("where")
    return found


def in_thousand(found: Counter[str], kind: str) -> float:
    """How often a kind of word occurs in 1,000 words."""
    return 1000 * found[kind] / max(found["words"], 1)


def line(name: str, found: Counter[str]) -> str:
    """A line of the report."""
    return f"{name:30}{found['words']:8,} words{in_thousand(found, 'stilted'):8.2f}{in_thousand(found, 'where'):8.2f}\n"


def main() -> None:
    packages: dict[str, list[Path]] = {}
    for folder in [Path(name) for name in sys.argv[1:] or ["src"]]:
        for file in sorted(folder.rglob("*.py")):
            packages.setdefault("/".join(file.relative_to(folder).parts[:-1][:2]) or ".", []).append(file)
    total: Counter[str] = Counter()
    for name, files in packages.items():
        found = count(files)
        total += found
        sys.stdout.write(line(name, found))
    sys.stdout.write(line("all", total))
    if any(in_thousand(total, kind) >= limit for kind, limit in LIMITS.items()):
        limits = " and ".join(f"{limit} ({kind})" for kind, limit in LIMITS.items())
        sys.exit(f"Rewrite sentences until fewer than {limits} are left in 1,000 words.")


if __name__ == "__main__":
    main()
