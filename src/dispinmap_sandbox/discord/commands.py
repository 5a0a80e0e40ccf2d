"""Slash commands as the bot registered them: find one, and read what a person filled in (pure).

https://discord.com/developers/docs/interactions/application-commands
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from dispinmap_sandbox.discord.forms import Form
from dispinmap_sandbox.discord.models import Json
from dispinmap_sandbox.discord.permissions import Permission
from dispinmap_sandbox.errors import SandboxError

COMMANDS_LIMIT = 100
OPTIONS_LIMIT = 25
CHOICES_LIMIT = 25
DESCRIPTION_LIMIT = 100
STRING_OPTION_LIMIT = 6000
CHAT_INPUT = 1
_NAME = re.compile(r"[-_'\w]{1,32}")


class OptionType(IntEnum):
    SUB_COMMAND = 1
    SUB_COMMAND_GROUP = 2
    STRING = 3
    INTEGER = 4
    BOOLEAN = 5
    NUMBER = 10
    ATTACHMENT = 11


@dataclass(frozen=True, slots=True)
class Found:
    """A command or subcommand. `path` leads from the registered command down to it."""

    path: tuple[Json, ...]

    @property
    def options(self) -> list[Json]:
        """Its parameters."""
        return self.path[-1].get("options") or []

    def data(self, options: list[Json]) -> Json:
        """Discord's `data` of an interaction with these filled-in parameters."""
        for step in reversed(self.path[1:]):
            options = [{"type": step["type"], "name": step["name"], "options": options}]
        command = self.path[0]
        return {"id": command["id"], "name": command["name"], "type": CHAT_INPUT, "options": options}


def find(commands: Sequence[Json], name: str) -> Found:
    """Find by full name, "add location". Raises SandboxError if there is none, or it needs a subcommand."""
    level: Sequence[Json] = commands
    path: list[Json] = []
    for word in name.split():
        step = next((each for each in level if each["name"] == word), None)
        if step is None:
            raise SandboxError(f"There is no command /{name} here: type / to see all commands.")
        path.append(step)
        level = _children(step)
    if not path or level:
        names = ", ".join(f"/{name} {each['name']}" for each in level)
        raise SandboxError(f"/{name} needs one of its subcommands: {names}.")
    return Found(tuple(path))


def _children(command: Json) -> list[Json]:
    kinds = (OptionType.SUB_COMMAND, OptionType.SUB_COMMAND_GROUP)
    return [option for option in command.get("options") or [] if option["type"] in kinds]


def may_use(command: Json, bits: int) -> bool:
    """`default_member_permissions`: None lets everyone, "0" only administrators, else those who have all its bits."""
    needed = command.get("default_member_permissions")
    if needed is None or bits & Permission.ADMINISTRATOR:
        return True
    return int(needed) != 0 and bits & int(needed) == int(needed)


def read_options(found: Found, values: Mapping[str, object], *, typing: str | None = None) -> list[Json]:
    """What a person filled in, as Discord sends it. Numbers may come as text.

    `typing` names the parameter being autocompleted. It is marked and not checked, and no parameter is required.
    Raises SandboxError for what Discord's client would not send.
    """
    known = {option["name"]: option for option in found.options}
    for name in values:
        if name not in known:
            raise SandboxError(f"/{_title(found)} has no parameter “{name}”: it has {', '.join(known) or 'none'}.")
    if typing is None:
        _check_required(found, values)
    result: list[Json] = []
    for name, value in values.items():
        focused = name == typing
        read = str(value) if focused else _read(known[name], value)
        entry: Json = {"type": known[name]["type"], "name": name, "value": read}
        result.append({**entry, "focused": True} if focused else entry)
    return result


def _title(found: Found) -> str:
    return " ".join(step["name"] for step in found.path)


def _check_required(found: Found, values: Mapping[str, object]) -> None:
    for option in found.options:
        if option.get("required") and values.get(option["name"]) in (None, ""):
            raise SandboxError(f"/{_title(found)} needs “{option['name']}”: {option['description']}.")


def _read(option: Json, value: object) -> object:
    read = _typed(option, value)
    choices = option.get("choices") or []
    if choices and read not in [choice["value"] for choice in choices]:
        names = ", ".join(choice["name"] for choice in choices)
        raise SandboxError(f"“{value}” is not a choice for “{option['name']}”: choose {names}.")
    return read


def _typed(option: Json, value: object) -> object:
    kind = option["type"]
    try:
        if kind == OptionType.STRING:
            return _text(option, str(value))
        if kind == OptionType.INTEGER:
            return _number(option, int(str(value)))
        if kind == OptionType.NUMBER:
            return _number(option, float(str(value)))
    except ValueError:
        raise SandboxError(f"“{option['name']}” must be a number, not “{value}”.") from None
    if kind == OptionType.BOOLEAN:
        return value is True or str(value).lower() == "true"
    return value


def _text(option: Json, text: str) -> str:
    low, high = option.get("min_length") or 0, option.get("max_length") or STRING_OPTION_LIMIT
    if not low <= len(text) <= high:
        raise SandboxError(f"“{option['name']}” must have {low} to {high} characters, not {len(text)}.")
    return text


def _number(option: Json, number: float) -> float:
    low, high = option.get("min_value"), option.get("max_value")
    if (low is not None and number < low) or (high is not None and number > high):
        raise SandboxError(f"“{option['name']}” must be between {low} and {high}, not {number}.")
    return number


def check_registration(commands: list[Json]) -> None:
    """Raises ApiError 50035 for commands that Discord would not register."""
    form = Form()
    form.at_most((), commands, COMMANDS_LIMIT)
    for index, command in enumerate(commands):
        if (command.get("type") or CHAT_INPUT) == CHAT_INPUT:
            _check_one(form, (index,), command)
    form.raise_if_bad()


def _check_one(form: Form, path: tuple[str | int, ...], item: Json) -> None:
    name = item.get("name") or ""
    if not _NAME.fullmatch(name) or name != name.lower():
        form.complain((*path, "name"), "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    form.between((*path, "description"), item.get("description"), 1, DESCRIPTION_LIMIT)
    form.at_most((*path, "choices"), item.get("choices"), CHOICES_LIMIT)
    options = item.get("options") or []
    form.at_most((*path, "options"), options, OPTIONS_LIMIT)
    optional_seen = False
    for index, option in enumerate(options):
        _check_one(form, (*path, "options", index), option)
        if option.get("required") and optional_seen:
            form.complain(
                (*path, "options", index),
                "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID",
                "Required options must be placed before non-required options",
            )
        optional_seen = optional_seen or not option.get("required")
