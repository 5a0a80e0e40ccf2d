"""The browser the tests use."""

from pathlib import Path

CHROMIUM = Path("/usr/bin/chromium")
"""Where Debian's package puts it."""
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
