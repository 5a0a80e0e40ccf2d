"""structlog without Rich.

It imports Rich for tracebacks if it finds it. Ours are plain, and the bot would carry 4 MiB that it never uses.
"""

import sys

if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # how Python marks a module that must not be imported
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
