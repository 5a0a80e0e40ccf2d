"""What we know of Litestream's configuration, compared with both binaries."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dispinmap.backup.configuration.checking import check
from dispinmap.backup.configuration.findings import Severity
from dispinmap.backup.configuration.schema import Kind, Node, Schema
from dispinmap.backup.models import Format
from dispinmap.backup.versions import DIALECTS
from tests.backup.conftest import BINARIES


def parsed(version: Format, text: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    """`litestream databases`, which reads the configuration, makes its replicas, and asks no storage."""
    file = folder / "litestream.yml"
    file.write_text(text)
    command = (BINARIES[version], "databases", "-config", file, "-no-expand-env")
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def levels(schema: Schema, before: str = "{", behind: str = "}") -> Iterator[tuple[str, Schema, str]]:
    """Each level: the text before its keys, the keys, the text behind them. JSON is YAML too, indented anyhow."""
    yield before, schema, behind
    for key, below in schema.items():
        if isinstance(below, list):
            yield from levels(below[0], f'{before}"{key}": [{{', f"}}]{behind}")
        elif not isinstance(below, Kind):
            yield from levels(below, f'{before}"{key}": {{', f"}}{behind}")


LEVELS: Final = [(version, *level) for version in Format for level in levels(DIALECTS[version].schema)]
ALL_KEYS: Final = {key: below for _, _, schema, _ in LEVELS for key, below in schema.items()} | {"banana": Kind.TEXT}
WRONG: Final = {True: '{"a": 1}', False: "[1]"}
"""No key's value is both a mapping and a list."""


@pytest.mark.parametrize(("version", "before", "schema", "behind"), LEVELS, ids=[f"{v} {b}" for v, b, _, _ in LEVELS])
def test_a_binary_reads_exactly_the_keys_that_we_say(
    version: Format, before: str, schema: Mapping[str, Node], behind: str, tmp_path: Path
) -> None:
    read: set[str] = set()
    # 0.5 reads the snapshot section by itself first, and tells nothing of the rest when that is broken.
    apart = {"snapshot"} & set(schema)
    for keys in filter(None, ([key for key in ALL_KEYS if key not in apart], list(apart))):
        lines = [f"{json.dumps(key)}: {WRONG[isinstance(ALL_KEYS[key], Kind | list)]}," for key in keys]
        answer = parsed(version, "\n".join([before, *lines, behind]), tmp_path)
        refused = re.findall(r"line (\d+): cannot unmarshal", answer.stdout + answer.stderr)
        read |= {keys[int(number) - 2] for number in refused}
    assert read == set(schema)


GOOD: Final[Mapping[Kind, list[object]]] = {
    Kind.TEXT: ["", "x", "/a/b", "https://example.org", "s3", "0", "true", "json"],
    Kind.TEXTS: [[], ["x"]],
    Kind.FLAG: [True, False],
    Kind.NUMBER: [0, 5],
    Kind.SIZE: ["5MB", "1.5 GiB", 5000],
    Kind.DURATION: ["0s", 0, "1.5h", ".5s", "1h30m", "10µs", None],
    Kind.PERIOD: ["1s", "72h", "100ms", "2m0.5s", None],
}
BAD: Final[list[object]] = [None, "", "-1s", "0s", 0, 5, 1.5, True, "5", "1h 2s", "xml", [], [None], {}, {"a": 1}, "$X"]
ELSEWHERE: Final = {"sse-customer-key-path", "age"}
"""What a pure check cannot know: whether a file exists, or an encryption key is valid."""
PLACES: Final[Mapping[Format, list[dict[str, object]]]] = {
    version: [
        {"path": "/replica"},
        {"type": "file", "path": "/replica/"},
        {"url": "file:///replica"},
        {"type": name, "bucket": "b-1", "path": "db"},
        {"url": f"{name}://b-1/db"},
        {"type": "s3", "bucket": "b-1", "path": "db", "endpoint": "http://h:9000", "region": "r"},
        {"url": "s3://b-1/db"},
    ]
    for version, name in ((Format.V0_3, "gcs"), (Format.V0_5, "gs"))
}


def nodes(node: Node) -> st.SearchStrategy[object]:
    if isinstance(node, Kind):
        good = st.sampled_from(GOOD[node])
        return st.integers(0, 9).flatmap(lambda die: good if die else st.sampled_from(BAD))
    if isinstance(node, list):
        return st.lists(some_of(node[0], 3), max_size=2)
    return some_of(node, 3)


def some_of(schema: Schema, most: int) -> st.SearchStrategy[dict[str, object]]:
    """A mapping with a few of the keys."""
    keys = st.lists(st.sampled_from(sorted(set(schema) - ELSEWHERE)), max_size=most, unique=True)
    return keys.flatmap(lambda chosen: st.fixed_dictionaries({key: nodes(schema[key]) for key in chosen}))


def entry_of(schema: Schema, key: str) -> Schema:
    node = schema[key]
    assert isinstance(node, list)
    return node[0]


@st.composite
def documents(draw: st.DrawFn, version: Format) -> dict[str, object]:
    """A good document with a few keys more, of which some are not."""
    schema = DIALECTS[version].schema
    database = entry_of(schema, "dbs")
    replica = entry_of(database, "replicas")
    entry = {**draw(some_of(replica, 3)), **draw(st.sampled_from(PLACES[version]))}
    plain = {key: below for key, below in database.items() if key not in ("replica", "replicas")}
    base: dict[str, object] = {**draw(some_of(plain, 2)), "path": "/data/bot.db"}
    single = version is Format.V0_5 and draw(st.booleans())
    base |= {"replica": entry} if single else {"replicas": [entry]}
    top = {key: below for key, below in schema.items() if key != "dbs"}
    return {**draw(some_of(top, 2)), "dbs": [base]}


@pytest.mark.parametrize("version", list(Format))
def test_a_document_without_an_error_is_taken_by_the_binary(version: Format, tmp_path: Path) -> None:
    taken = 0

    @settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
    @given(documents(version))
    def run(document: dict[str, object]) -> None:
        nonlocal taken
        text = yaml.safe_dump(document, allow_unicode=True)
        if all(each.severity is Severity.WARNING for each in check(text, version, {}, Path("/data/bot.db"))):
            taken += 1
            answer = parsed(version, text, tmp_path)
            assert answer.returncode == 0, answer.stderr
            assert answer.stdout.splitlines()[1].startswith("/data/bot.db")

    run()
    # How many of those that are drawn have no error is chance; none would prove nothing.
    assert taken > 0
