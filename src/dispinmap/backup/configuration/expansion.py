"""Variables in a configuration, which both versions of Litestream replace in the text before they read it."""

import re
from collections.abc import Mapping
from typing import Final

# Nobody writes these characters: they mark the place of a variable that has no value until the document is read.
_START, _END = "\ue000", "\ue001"
_MARK: Final = re.compile(f"{_START}(.*?){_END}")
_VARIABLE: Final = re.compile(r"\$(?:\{([^{}]*)\}|([A-Za-z_][A-Za-z0-9_]*|[0-9*#$@!?-]))")
"""As Go's os.Expand has them; a dollar sign before anything else is one."""


def expand(text: str, environ: Mapping[str, str]) -> str:
    """The text with each variable's value in its place, and a mark where that is unset or empty."""

    def value(match: re.Match[str]) -> str:
        name = match[1] if match[2] is None else match[2]
        return environ.get(name) or f"{_START}{name}{_END}"

    return _VARIABLE.sub(value, text)


def missing_variables(text: str) -> list[str]:
    """The names that `expand` has marked in (a part of) what it returned, each once."""
    return list(dict.fromkeys(_MARK.findall(text)))
