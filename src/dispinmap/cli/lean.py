"""What keeps the bot small, before anything else is imported or any thread started."""

import ctypes
import sys
from contextlib import suppress
from typing import Final

M_ARENA_MAX: Final = -8
"""https://man7.org/linux/man-pages/man3/mallopt.3.html"""

# glibc gives each thread a pool of memory of its own, and keeps in each what was once in use: the threads that talk to
# SQLite take turns, and still 10 MiB were spread over their pools. Other C libraries have no such call, nor the pools.
with suppress(AttributeError):
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)

# structlog imports Rich, if it finds it, for tracebacks in colour. Ours are plain, and Rich takes 4 MiB.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # how Python marks a module that must not be imported
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
