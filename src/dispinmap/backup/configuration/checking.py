"""Check what Litestream does not: a configuration's keys, its values, and whether they have any effect."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import yaml

from dispinmap.backup.configuration.findings import Finding, error
from dispinmap.backup.configuration.rules import rules
from dispinmap.backup.configuration.schema import Kind, Node, Schema
from dispinmap.backup.configuration.values import problem
from dispinmap.backup.litestream.dialect import Dialect
from dispinmap.backup.models import Format
from dispinmap.backup.versions import DIALECTS

_UNREADABLE: Final = (yaml.YAMLError, ValueError, LookupError, AttributeError)
"""PyYAML raises the others if a value does not fit its tag, such as the date 2026-13-01."""
# Characters for private use, which no configuration contains. They mark a variable without a value.
_START, _END = "\ue000", "\ue001"
_MARK: Final = re.compile(f"{_START}(.*?){_END}")
_VARIABLE: Final = re.compile(r"\$(?:\{([^{}]*)\}|([A-Za-z_][A-Za-z0-9_]*|[0-9*#$@!?-]))")
"""The variables that Go's os.Expand knows; any other dollar sign is just a dollar sign."""


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with each variable replaced by its value, or by a mark if it is unset or empty."""

    def value(match: re.Match[str]) -> str:
        name = match[1] if match[2] is None else match[2]
        return environ.get(name) or f"{_START}{name}{_END}"

    return _VARIABLE.sub(value, text)


def missing_variables(text: str) -> list[str]:
    """The names of the variables that `expand` marked in (a part of) its result, each once."""
    return list(dict.fromkeys(_MARK.findall(text)))


def check(text: str, version: Format, environ: Mapping[str, str], database: Path | None = None) -> list[Finding]:
    """Everything that is wrong with the configuration `text` for that version of Litestream.

    `database` is the bot's database, which the configuration must name. If no finding is an error, the binary accepts
    the configuration and does what it says.
    """
    dialect = DIALECTS[version]
    try:
        document = yaml.safe_load(expand(text, environ))
    except _UNREADABLE as broken:
        return [_not_yaml(broken)]
    if not isinstance(document, dict):
        return [error("", "It is not a mapping.", f"Begin it like {dialect.example}.")]
    found = [*_Walk(dialect).mapping(document, dialect.schema, ""), *rules(document, dialect, database)]
    # A variable without a value has its own finding; other findings that quote its mark are noise.
    return [each for each in found if not missing_variables(each.sentence)]


def _not_yaml(broken: Exception) -> Finding:
    # The error's own message repeats lines of the document, which may contain credentials.
    mark = getattr(broken, "problem_mark", None)
    what = ", ".join(filter(None, (getattr(broken, part, None) for part in ("context", "problem"))))
    where = f"line {mark.line + 1}" if mark else ""
    return error(where, f"It is not YAML: {what or 'something in it cannot be read'}.", "Correct it.")


class _Walk:
    """Walks through a document's keys and values and compares them with one version's schema."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect

    def mapping(self, keys: Mapping[object, object], schema: Schema, where: str) -> Iterator[Finding]:
        for key, value in keys.items():
            place = f"{where}.{key}" if where else str(key)
            remark = self._dialect.remarks.get(_without_indexes(place))
            if remark:
                severity, sentence, cure = remark
                yield Finding(severity, place, sentence, cure)
            if isinstance(key, str) and key in schema:
                yield from self._value(value, schema[key], place)
            elif not remark:
                sentence = f"Litestream {self._dialect.format} does not know this key and silently ignores it."
                yield error(place, sentence, self._cure(str(key), schema))

    def _value(self, value: object, schema: Node, where: str) -> Iterator[Finding]:
        names = missing_variables(value) if isinstance(value, str) else []
        if names:
            yield from (error(where, f"${name} is not set, or empty.", "Set it in the environment.") for name in names)
        elif isinstance(schema, Kind):
            if found := problem(value, schema):
                yield error(where, *found)
        elif isinstance(value, dict) and not isinstance(schema, list):
            yield from self.mapping(value, schema, where)
        elif isinstance(value, list) and isinstance(schema, list):
            for index, entry in enumerate(value):
                yield from self._entry(entry, schema[0], f"{where}[{index}]")
        elif value is not None:
            shape = "list (each entry with a dash)" if isinstance(schema, list) else "mapping"
            yield error(where, f"A {shape} belongs here.", f"Write it as {self._dialect.example} does.")

    def _entry(self, entry: object, schema: Schema, where: str) -> Iterator[Finding]:
        if isinstance(entry, dict) and entry:
            yield from self.mapping(entry, schema, where)
        else:
            yield error(where, "It has no keys, so Litestream would crash.", "Add the keys, or remove it.")

    def _cure(self, key: str, schema: Schema) -> str:
        near = get_close_matches(key, schema, 1, cutoff=0.75)
        if near:
            return f"Did you mean {near[0]}?"
        places = [place for place, keys in _levels(self._dialect.schema, "at the top") if key in keys]
        return f"It belongs {' or '.join(dict.fromkeys(places))}." if places else "Remove it."


def _levels(schema: Schema, place: str) -> Iterator[tuple[str, Schema]]:
    yield place, schema
    for key, below in schema.items():
        inner = below[0] if isinstance(below, list) else below
        if not isinstance(inner, Kind):
            yield from _levels(inner, f"in `{key}`")


def _without_indexes(place: str) -> str:
    return re.sub(r"\[\d+\]", "", place)
