"""Expand the variables in a configuration. Both versions of Litestream do so in the text, before they parse it."""

import re
from collections.abc import Mapping
from typing import Final

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
