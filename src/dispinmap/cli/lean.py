"""Save memory, before anything else is imported and before any thread starts."""

import ctypes
import sys
from contextlib import suppress
from typing import Final

M_ARENA_MAX: Final = -8
"""https://man7.org/linux/man-pages/man3/mallopt.3.html"""

# glibc gives each thread its own memory pool and keeps freed memory there: although the threads that talk to SQLite
# take turns, 10 MiB were spread over their pools. Other C libraries have neither the pools nor this call.
with suppress(AttributeError):
    ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)

# structlog imports Rich, if it finds it, for tracebacks in colour. Ours are plain, and Rich takes 4 MiB.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # how Python marks a module that must not be imported
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
