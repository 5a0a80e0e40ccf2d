"""`/help`: built from the commands' own descriptions."""

import discord
from discord import app_commands
from discord.ext import commands

from dispinmap.discordbot import helptext, texts
from dispinmap.discordbot.commands.base import Choices, ServiceCog, suggesting
from dispinmap.discordbot.commands.base import command as hybrid_command
from dispinmap.discordbot.errors import Context, did_you_mean
from dispinmap.errors import UserError
from dispinmap.targets.naming import unquoted


class HelpCog(ServiceCog):
    """Lists the commands and explains them."""

    @hybrid_command(name="help", description="Show all commands, or how to use one of them")
    @app_commands.describe(command="The command to explain, such as add city")
    async def show_help(self, ctx: Context, *, command: str | None = None) -> None:
        helps = _all(ctx.bot)
        if not command:
            mention = ctx.me.mention
            await ctx.send(helptext.overview(helps, mention, self.services.command_prefix))
            return
        name = unquoted(command).lstrip("/!").strip().lower()
        chosen = [one for one in helps if one.name == name or one.name.startswith(f"{name} ")]
        if not chosen:
            raise UserError(did_you_mean(name, (one.name for one in helps)))
        await ctx.send(helptext.details(chosen))

    @show_help.autocomplete("command")
    @suggesting
    async def suggest_commands(self, interaction: discord.Interaction, current: str) -> Choices:
        wanted = current.strip().casefold()
        return [
            app_commands.Choice(name=f"{one.name}: {one.description}"[: texts.OPTION_LIMIT], value=one.name)
            for one in _all(interaction.client)
            if wanted in one.name
        ]


def _all(client: discord.Client) -> tuple[helptext.CommandHelp, ...]:
    if not isinstance(client, commands.AutoShardedBot):
        return ()
    leaves = (command for command in client.tree.walk_commands() if isinstance(command, app_commands.Command))
    return helptext.described(leaves)
