"""The base classes of errors whose text is written for people."""

from collections.abc import Callable


class DisPinMapError(Exception):
    """Its text is one sentence that says what was wrong and what to do."""


class SettingsError(DisPinMapError):
    """A setting is missing or malformed; the text names the variable and the cure."""


WORD_LIMIT = 100
"""How many characters of a person's words a sentence repeats."""


class UserError(DisPinMapError):
    """What a person asked for cannot be done as asked; the text may be shown to them.

    Each `{}` of the sentence stands for one of `words`, which people typed. They are shortened to one line. To show the
    sentence in a place that interprets markup, use `shown`.
    """

    def __init__(self, sentence: str, *words: str) -> None:
        self._sentence = sentence
        self._words = [_short(word) for word in words]
        super().__init__(self.shown(str))

    def shown(self, safe: Callable[[str], str]) -> str:
        """The sentence with each of the words made `safe` for the place where it is shown."""
        return self._sentence.format(*map(safe, self._words)) if self._words else self._sentence


def _short(word: str) -> str:
    line = " ".join(word.split())
    return line if len(line) <= WORD_LIMIT else f"{line[: WORD_LIMIT - 1]}…"
