"""The commands, one topic a file."""

from discord.ext import commands

from dispinmap.discordbot.commands.add import AddCog
from dispinmap.discordbot.commands.check import CheckCog
from dispinmap.discordbot.commands.help import HelpCog
from dispinmap.discordbot.commands.monitor import MonitorCog
from dispinmap.discordbot.commands.show import ShowCog
from dispinmap.discordbot.commands.transfer import ImportCog
from dispinmap.discordbot.commands.tune import TuneCog
from dispinmap.discordbot.errors import ErrorDesk
from dispinmap.discordbot.services import Services


def all_cogs(services: Services, desk: ErrorDesk) -> tuple[commands.Cog, ...]:
    """Every command the bot has."""
    kinds = (AddCog, TuneCog, ImportCog, ShowCog, CheckCog, MonitorCog, HelpCog)
    return tuple(kind(services, desk) for kind in kinds)
