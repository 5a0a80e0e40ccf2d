"""Stands in for the `sqlite3` program if it is not installed: a file, then SQL or `.schema [TABLE]`."""

import sqlite3
import sys
from contextlib import closing


def main() -> None:
    file, text = sys.argv[1:]
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        if text.startswith(".schema"):
            table = text.removeprefix(".schema").strip() or None
            text = "SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name = COALESCE(?, tbl_name)"
            rows = connection.execute(text, (table,)).fetchall()
        else:
            rows = [row for one in filter(str.strip, text.split(";")) for row in connection.execute(one)]
        for row in rows:
            sys.stdout.write("|".join("" if value is None else str(value) for value in row) + "\n")


if __name__ == "__main__":
    main()
