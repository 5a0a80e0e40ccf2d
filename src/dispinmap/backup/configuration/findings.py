"""Findings: what is wrong with a configuration, and what to do about it."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    ERROR = "error"
    """The backup would not run, or would not do what the file says."""
    WARNING = "warning"
    """The backup runs, but something has no effect or a surprising one."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong."""

    severity: Severity
    where: str
    """The place in the document, such as "dbs[0].replicas[0].retention"; empty for the whole document."""
    sentence: str
    cure: str
    """Empty if the sentence already says what to do."""

    def __str__(self) -> str:
        """One line for people."""
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.sentence} {self.cure}".rstrip()


def error(where: str, sentence: str, cure: str) -> Finding:
    return Finding(Severity.ERROR, where, sentence, cure)


def warning(where: str, sentence: str, cure: str) -> Finding:
    return Finding(Severity.WARNING, where, sentence, cure)
