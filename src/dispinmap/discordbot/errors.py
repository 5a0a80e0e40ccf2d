"""One map from error to sentence, and one desk where every failed command, button and suggestion ends up."""

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

_SENTENCES: dict[type[Exception], str] = {
    commands.NoPrivateMessage: "Commands work in a server’s channel only: ask there.",
    app_commands.NoPrivateMessage: "Commands work in a server’s channel only: ask there.",
    commands.MissingPermissions: "Only members who may manage this channel can change what it gets: ask one of them.",
    commands.BotMissingPermissions: (
        "I may not write there: give me View Channel and Send Messages (in a thread Send Messages in Threads), "
        "or use slash commands, which I can always answer."
    ),
    app_commands.CommandNotFound: "This command has changed: reload Discord and choose it again.",
    app_commands.CommandSignatureMismatch: "This command has changed: reload Discord and choose it again.",
    discord.Forbidden: (
        "Discord does not let me do that here: give me View Channel, Send Messages, Embed Links and "
        "Attach Files in this channel."
    ),
}


def explain(error: BaseException) -> str | None:
    """The sentence for a failure that is foreseen; None for any other."""
    cause = unwrapped(error)
    if isinstance(cause, UserError):
        return cut(cause.shown(escape), MESSAGE_LIMIT)
    if isinstance(cause, DisPinMapError):
        return cut(escape(str(cause)), MESSAGE_LIMIT)
    if isinstance(cause, commands.CommandOnCooldown | app_commands.CommandOnCooldown):
        return f"That was asked for a moment ago: try again in {cause.retry_after:.0f} seconds."
    return next((sentence for kind, sentence in _SENTENCES.items() if isinstance(cause, kind)), None)


def unwrapped(error: BaseException) -> BaseException:
    """What really happened, out of the wrappers that discord.py puts around it."""
    while isinstance(original := getattr(error, "original", None), BaseException):
        error = original
    return error


def misused(error: BaseException, command: commands.Command[Any, ..., Any] | None) -> str | None:
    """For parameters that are missing or cannot be read: what is wrong, and how the command is written."""
    if not isinstance(error, commands.UserInputError) or command is None:
        return None
    return f"{_misuse(error)}\nHow to write it: `{usage(command)}`"


def _misuse(error: commands.UserInputError) -> str:
    if isinstance(error, commands.MissingRequiredArgument | commands.MissingRequiredAttachment):
        return f"“{error.param.name}” is missing."
    if isinstance(error, commands.ArgumentParsingError):
        return "The quotes do not match: put them around the whole name, or leave them out."
    return f"That could not be read: {safe(str(error), 300)}"


def did_you_mean(word: str, names: Iterable[str]) -> str:
    """For an unknown text command."""
    close = difflib.get_close_matches(word.lower(), list(names), n=1, cutoff=0.5)
    hint = f"did you mean `{close[0]}`? " if close else ""
    return f"There is no command “{safe(word, 50)}”: {hint}`help` lists all of them."


class ErrorDesk:
    """Answers whoever met a failure, and reports those that nobody foresaw."""

    def __init__(self, failed: Callable[[], object]) -> None:
        self._failed = failed

    def report(self, error: BaseException, where: str, channel_id: int | None = None) -> str:
        """Log and count it; returns the id by which the log line can be found."""
        error_id = secrets.token_hex(4)
        self._failed()
        _log.error("command_failed", error_id=error_id, command=where, channel_id=channel_id, exc_info=unwrapped(error))
        return error_id

    def sentence(self, error: BaseException, where: str, channel_id: int | None) -> str:
        """What to tell the person; an unforeseen error is reported on the way."""
        return explain(error) or (
            "Sorry, that failed for a reason I did not foresee. It is logged for the operator "
            f"as error `{self.report(error, where, channel_id)}`; nothing else was affected, so try again."
        )

    async def answer_context(self, ctx: Context, error: commands.CommandError) -> None:
        """Tell whoever gave the command, in text or as slash command."""
        where = ctx.command.qualified_name if ctx.command else "text"
        text = misused(error, ctx.command) or self.sentence(error, where, ctx.channel.id)
        await self.tell(lambda: _answer(ctx, text), where, ctx.channel.id)

    async def answer_interaction(self, interaction: discord.Interaction, error: Exception, where: str) -> None:
        """Tell whoever pressed a button, chose from a menu or met a command Discord remembers wrongly."""
        text = self.sentence(error, where, interaction.channel_id)
        answer = interaction.followup.send if interaction.response.is_done() else interaction.response.send_message
        await self.tell(lambda: answer(text, ephemeral=True), where, interaction.channel_id)

    async def tell(self, answer: Callable[[], Awaitable[object]], where: str, channel_id: int | None) -> None:
        """Send an answer; where even that fails, log it."""
        try:
            await answer()
        except discord.HTTPException as failure:
            # The interaction is too old, or the person takes no private messages: nobody else can help.
            _log.warning(
                "command_error_not_answered",
                command=where,
                channel_id=channel_id,
                status=failure.status,
                code=failure.code,
            )
        except Exception as failure:  # noqa: BLE001 (the last edge: nobody above could tell the person either)
            self.report(failure, where, channel_id)


async def _answer(ctx: Context, text: str) -> None:
    """In the channel, or privately where the bot may not write in it."""
    try:
        await ctx.send(text, ephemeral=True)
    except discord.Forbidden:
        if ctx.interaction is not None:
            raise
        await ctx.author.send(f"I could not answer in <#{ctx.channel.id}>. {text}")
