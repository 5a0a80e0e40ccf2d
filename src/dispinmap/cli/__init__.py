"""The command line: one command group a file."""

from dispinmap.cli import early  # noqa: F401 -- before the rest, which takes its time
from dispinmap.cli.entry import main

__all__ = ["main"]
