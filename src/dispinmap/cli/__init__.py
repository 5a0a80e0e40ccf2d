"""The command line: one command group a file."""

from dispinmap.cli.main import main

__all__ = ["main"]
