"""The one map from errors to sentences, and the desk that handles every failed command, button and suggestion."""

import difflib
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import discord
import structlog
from discord import app_commands
from discord.ext import commands

from dispinmap.discordbot.helptext import usage
from dispinmap.discordbot.markdown import cut, escape, safe
from dispinmap.discordbot.texts import MESSAGE_LIMIT
from dispinmap.errors import DisPinMapError, UserError

_log = structlog.stdlib.get_logger(__name__)

Context = commands.Context[commands.AutoShardedBot]

_ONLY_IN_SERVERS = "I only answer commands in a server’s channels. Please ask me there."
_CHANGED = "This command has changed. Reload Discord and choose it again."
_SENTENCES: dict[type[Exception], str] = {
    commands.NoPrivateMessage: _ONLY_IN_SERVERS,
    app_commands.NoPrivateMessage: _ONLY_IN_SERVERS,
    commands.MissingPermissions: "You need the Manage Channels permission for that. Ask someone who has it.",
    commands.BotMissingPermissions: (
        "I’m not allowed to write there. Give me View Channel and Send Messages (or Send Messages in Threads), "
        "or use slash commands, which I can always answer."
    ),
    app_commands.CommandNotFound: _CHANGED,
    app_commands.CommandSignatureMismatch: _CHANGED,
    discord.Forbidden: (
        "Discord doesn’t let me do that here. Give me View Channel, Send Messages, Embed Links and "
        "Attach Files in this channel."
    ),
}


def explain(error: BaseException) -> str | None:
    """The sentence for an expected failure; None for any other."""
    cause = unwrapped(error)
    if isinstance(cause, UserError):
        return cut(cause.shown(escape), MESSAGE_LIMIT)
    if isinstance(cause, DisPinMapError):
        return cut(escape(str(cause)), MESSAGE_LIMIT)
    if isinstance(cause, commands.CommandOnCooldown | app_commands.CommandOnCooldown):
        return f"Just checked. Try again in {cause.retry_after:.0f} seconds."
    return next((sentence for kind, sentence in _SENTENCES.items() if isinstance(cause, kind)), None)


def unwrapped(error: BaseException) -> BaseException:
    """The original error, without the wrappers that discord.py puts around it."""
    while isinstance(original := getattr(error, "original", None), BaseException):
        error = original
    return error


def misused(error: BaseException, command: commands.Command[Any, ..., Any] | None) -> str | None:
    """For parameters that are missing or cannot be read: what is wrong, and how to write the command."""
    if not isinstance(error, commands.UserInputError) or command is None:
        return None
    return f"{_misuse(error)}\nWrite it like this: `{usage(command)}`"


def _misuse(error: commands.UserInputError) -> str:
    if isinstance(error, commands.MissingRequiredArgument | commands.MissingRequiredAttachment):
        return f"“{error.param.name}” is missing."
    if isinstance(error, commands.ArgumentParsingError):
        return "The quotes don’t match. Put them around the whole name, or leave them out."
    return f"I couldn’t read that: {safe(str(error), 300)}"


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """For an unknown text command."""
    close = difflib.get_close_matches(word.lower(), list(names), n=1, cutoff=0.5)
    hint = f"Did you mean `{close[0]}`? " if close else ""
    return f"There’s no command “{safe(word, 50)}”. {hint}`help` lists all commands."


class ErrorDesk:
    """Tells people why something failed, and reports the failures that we did not expect.

    `command` names the command or the kind of controls that failed, for the log.
    """

    def __init__(self, failed: Callable[[], object]) -> None:
        self._failed = failed

    def report(self, error: BaseException, command: str, channel_id: int | None = None) -> str:
        """Log and count the error. Returns the id that finds the log line."""
        error_id = secrets.token_hex(4)
        self._failed()
        _log.error(
            "command_failed", error_id=error_id, command=command, channel_id=channel_id, exc_info=unwrapped(error)
        )
        return error_id

    def sentence(self, error: BaseException, command: str, channel_id: int | None) -> str:
        """What to tell the person. An unexpected error is also reported."""
        return explain(error) or (
            f"Sorry, something went wrong (error `{self.report(error, command, channel_id)}`). Please try again."
        )

    async def answer_context(self, ctx: Context, error: commands.CommandError) -> None:
        """Answer a failed command with the error's sentence, whether it came as a message or as a slash command."""
        command = ctx.command.qualified_name if ctx.command else "text"
        text = misused(error, ctx.command) or self.sentence(error, command, ctx.channel.id)
        await self.tell(lambda: _answer(ctx, text), command, ctx.channel.id)

    async def answer_interaction(self, interaction: discord.Interaction, error: Exception, command: str) -> None:
        """Tell the person who pressed a button, used a menu, or used a command that Discord remembers wrongly."""
        text = self.sentence(error, command, interaction.channel_id)
        answer = interaction.followup.send if interaction.response.is_done() else interaction.response.send_message
        await self.tell(lambda: answer(text, ephemeral=True), command, interaction.channel_id)

    async def tell(self, answer: Callable[[], Awaitable[object]], command: str, channel_id: int | None) -> None:
        """Send an answer. If even that fails, log it."""
        try:
            await answer()
        except discord.HTTPException as failure:
            # The interaction is too old, or the person accepts no private messages: there is no other way to answer.
            _log.warning(
                "command_error_not_answered",
                command=command,
                channel_id=channel_id,
                status=failure.status,
                code=failure.code,
            )
        except Exception as failure:  # noqa: BLE001 (the outermost frame: no caller could tell the person either)
            self.report(failure, command, channel_id)


async def _answer(ctx: Context, text: str) -> None:
    """In the channel, or privately if the bot may not write there."""
    try:
        await ctx.send(text, ephemeral=True)
    except discord.Forbidden:
        if ctx.interaction is not None:
            raise
        await ctx.author.send(f"I couldn’t answer in <#{ctx.channel.id}>. {text}")
