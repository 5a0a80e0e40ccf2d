"""The command line: one command group a file."""

from dispinmap.cli import early  # noqa: F401 -- before the slow imports
from dispinmap.cli.entry import main

__all__ = ["main"]
