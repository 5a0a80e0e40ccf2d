"""Imports that take their time."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def unsearched() -> Iterator[None]:
    """Import without garbage collection.

    What modules are made of stays. Looking through it again and again takes a quarter of the time of an import.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
