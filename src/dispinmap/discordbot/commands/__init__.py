"""The commands, one topic per file."""

from discord.ext import commands

from dispinmap.discordbot.commands.add import AddCog
from dispinmap.discordbot.commands.check import CheckCog
from dispinmap.discordbot.commands.help import HelpCog
from dispinmap.discordbot.commands.show import ShowCog
from dispinmap.discordbot.commands.transfer import ExportCog, ImportCog
from dispinmap.discordbot.commands.tune import TuneCog
from dispinmap.discordbot.errors import ErrorDesk
from dispinmap.discordbot.services import Services


def all_cogs(services: Services, desk: ErrorDesk) -> tuple[commands.Cog, ...]:
    """Every command the bot has."""
    cogs = (AddCog, TuneCog, ExportCog, ImportCog, ShowCog, CheckCog, HelpCog)
    return tuple(cog(services, desk) for cog in cogs)
