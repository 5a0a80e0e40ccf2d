"""Moving a set-up: `/export` writes it as text, `/import` shows what such text would do and applies it."""

import io

import discord
from discord import app_commands

from dispinmap.discordbot import texts
from dispinmap.discordbot.commands.base import (
    ChangingCog,
    ServiceCog,
    channel_ref,
    command,
    lacking_for_cards,
    send_view,
)
from dispinmap.discordbot.errors import Context
from dispinmap.discordbot.markdown import pages
from dispinmap.discordbot.parsing import pasted_lines
from dispinmap.discordbot.views import ApplyView
from dispinmap.errors import UserError
from dispinmap.targets.models import ChannelRef
from dispinmap.targets.transfer import ImportPlan

FILE_LIMIT = 64 * 1024
"""Bytes. Hundreds of targets fit."""
LINES_PER_PAGE = 15
_PAGE_LIMIT = texts.MESSAGE_LIMIT - 200


class ExportCog(ServiceCog):
    """Writes a channel's set-up as text."""

    @command(name="export", description="Show this channel’s set-up as text that /import can read")
    async def export(self, ctx: Context) -> None:
        text = await self.services.targets.export(ctx.channel.id)
        if not text.strip():
            await ctx.send(texts.NOTHING_TO_EXPORT)
        elif (block := texts.as_code(text)) is not None:
            await ctx.send(block)
        else:
            file = discord.File(io.BytesIO(text.encode()), filename="dispinmap-export.txt")
            await ctx.send("Here is this channel’s set-up. `/import` reads it, here or in another channel.", file=file)


class ImportCog(ChangingCog):
    """Reads a set-up that this bot or the original one exported."""

    @command(name="import", description="Preview and apply a set-up that /export wrote")
    @app_commands.describe(file="The file from /export", text="The text from /export")
    async def import_targets(
        self, ctx: Context, file: discord.Attachment | None = None, *, text: str | None = None
    ) -> None:
        given = await _read(file) if file else pasted_lines(text or "")
        if not given.strip():
            raise UserError("There’s nothing to import. Attach the file from `/export`, or paste its text.")
        channel = channel_ref(ctx)
        plan = await self.services.targets.plan_import(channel, given)
        await self._show(ctx, channel, plan)

    async def _show(self, ctx: Context, channel: ChannelRef, plan: ImportPlan) -> None:
        async def apply() -> str:
            await self.services.targets.apply_import(channel, plan)
            return texts.imported(plan, lacking_for_cards(ctx))

        possible = texts.possible(plan)
        head = texts.import_head(possible, len(plan.steps))
        shown = ["\n".join((head, *group)) for group in pages(texts.import_lines(plan), _PAGE_LIMIT, LINES_PER_PAGE)]
        view = ApplyView(ctx.author.id, self.desk, shown, apply, self.may_change)
        if not possible:
            view.remove_item(view.apply)
        await send_view(ctx, view.text, view)


async def _read(file: discord.Attachment) -> str:
    if file.size > FILE_LIMIT:
        raise UserError(f"That file is too large ({file.size:,} bytes). Attach only what `/export` wrote.")
    try:
        return (await file.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("That file isn’t UTF-8 text. Attach the file from `/export`.") from None
    except discord.HTTPException:
        raise UserError("I couldn’t get the file from Discord. Please attach it again.") from None
