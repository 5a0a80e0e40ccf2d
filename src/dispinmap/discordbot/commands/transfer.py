"""`/import`: a set-up as text or file, shown as a dry run and then applied."""

import discord
from discord import app_commands

from dispinmap.discordbot import texts
from dispinmap.discordbot.commands.base import ChangingCog, channel_ref, lacking_for_cards, send_view
from dispinmap.discordbot.commands.decorators import command
from dispinmap.discordbot.errors import Context
from dispinmap.discordbot.markdown import pages
from dispinmap.discordbot.parsing import pasted_lines
from dispinmap.discordbot.views import ApplyView
from dispinmap.errors import UserError
from dispinmap.targets.models import ChannelRef
from dispinmap.targets.transfer import ImportPlan

FILE_LIMIT = 64 * 1024
"""Bytes; hundreds of targets fit."""
LINES_PER_PAGE = 15
_PAGE_LIMIT = texts.MESSAGE_LIMIT - 200


class ImportCog(ChangingCog):
    """A set-up comes back, from here, from elsewhere or from the original bot."""

    @command(name="import", description="Restore what /export wrote, after a look at what it would do")
    @app_commands.describe(file="The file that /export wrote", text="The lines that /export wrote")
    async def import_targets(
        self, ctx: Context, file: discord.Attachment | None = None, *, text: str | None = None
    ) -> None:
        given = await _read(file) if file else pasted_lines(text or "")
        if not given.strip():
            raise UserError("There is nothing to import: attach the file that `/export` wrote, or paste its text.")
        channel = channel_ref(ctx)
        plan = await self.services.targets.plan_import(channel, given)
        if not plan.steps:
            raise UserError("No line of that is a command: import what `/export` wrote, one command a line.")
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
        raise UserError(f"The file is too large ({file.size:,} bytes): attach what `/export` wrote, nothing more.")
    try:
        return (await file.read()).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError("The file is no text in UTF-8: attach the file that `/export` wrote.") from None
    except discord.HTTPException:
        raise UserError("Discord did not hand out the file: attach it again.") from None
