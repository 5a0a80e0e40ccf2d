"""Help texts, built from the commands' own names, descriptions and parameters."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from discord import app_commands
from discord.ext import commands

from dispinmap.discordbot.markdown import fit
from dispinmap.discordbot.texts import MESSAGE_LIMIT


@dataclass(frozen=True, slots=True)
class ParameterHelp:
    name: str
    description: str
    required: bool


@dataclass(frozen=True, slots=True)
class CommandHelp:
    """`name` is the full name, such as "add city"."""

    name: str
    description: str
    parameters: tuple[ParameterHelp, ...]


def described(tree: Iterable[app_commands.Command[Any, ..., Any]]) -> tuple[CommandHelp, ...]:
    """The commands, sorted by name."""
    return tuple(sorted((_described(command) for command in tree), key=lambda one: one.name))


def _described(command: app_commands.Command[Any, ..., Any]) -> CommandHelp:
    parameters = tuple(
        ParameterHelp(one.display_name, str(one.description), one.required) for one in command.parameters
    )
    return CommandHelp(command.qualified_name, str(command.description), parameters)


def written(command: CommandHelp) -> str:
    """Such as "/add city name: [radius:]". Parameters in brackets are optional."""
    words = (f"{one.name}:" if one.required else f"[{one.name}:]" for one in command.parameters)
    return " ".join((f"/{command.name}", *words))


def usage(command: commands.Command[Any, ..., Any]) -> str:
    """How to write `command`, from its own parameters."""
    wrapped = command.app_command if isinstance(command, commands.HybridCommand) else None
    return written(_described(wrapped)) if wrapped else f"{command.qualified_name} {command.signature}".rstrip()


def overview(helps: Iterable[CommandHelp], mention: str, prefix: str) -> str:
    """All commands, one per line."""
    lines = [f"`{written(one)}`: {one.description}" for one in helps]
    text_form = (
        f"You can also write them as messages: `{prefix}list` or {mention} `list`."
        if prefix
        else f"You can also write them as messages that mention me: {mention} `list`."
    )
    return fit([*lines, text_form, "More about one command: `/help command:`"], MESSAGE_LIMIT)


def details(helps: Iterable[CommandHelp]) -> str:
    """Each command with all its parameters."""
    return fit([line for one in helps for line in _details(one)], MESSAGE_LIMIT)


def _details(one: CommandHelp) -> list[str]:
    parameters = (f"- `{each.name}`{_optional(each)}: {each.description}" for each in one.parameters)
    return [f"`{written(one)}`", one.description, *parameters]


def _optional(parameter: ParameterHelp) -> str:
    return "" if parameter.required else " (optional)"
