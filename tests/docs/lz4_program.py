"""Stands in for the `lz4` program if it is not installed: `-d FROM TO`."""

import sys
from pathlib import Path

import lz4.frame


def main() -> None:
    _, source, target = sys.argv[1:]
    Path(target).write_bytes(lz4.frame.decompress(Path(source).read_bytes()))


if __name__ == "__main__":
    main()
