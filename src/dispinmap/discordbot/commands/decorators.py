"""discord.py's decorators with types that mypy can follow; it infers nothing through the generic originals."""

from collections.abc import Callable, Coroutine
from typing import Any

from discord.ext import commands

Callback = Callable[..., Coroutine[Any, Any, None]]
HybridCommand = commands.HybridCommand[Any, ..., Any]
HybridGroup = commands.HybridGroup[Any, ..., Any]
Decorator = Callable[[Callback], HybridCommand]

command: Callable[..., Decorator] = commands.hybrid_command
group: Callable[..., Callable[[Callback], HybridGroup]] = commands.hybrid_group


def subcommand(parent: HybridGroup, *, name: str, description: str) -> Decorator:
    """A command of a group."""
    decorate: Callable[..., Decorator] = parent.command
    return decorate(name=name, description=description)
