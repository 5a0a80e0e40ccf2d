"""The server that the sandbox starts with."""

from dataclasses import dataclass

from dispinmap_sandbox.discord.models import Channel, Guild, User
from dispinmap_sandbox.discord.owner import Owner
from dispinmap_sandbox.discord.permissions import EVERYTHING
from dispinmap_sandbox.discord.state import State


@dataclass(frozen=True, slots=True)
class Seed:
    """The server and its invented people: an administrator and an ordinary member."""

    guild: Guild
    pinball: Channel
    news: Channel
    administrator: User
    member: User


def plant(state: State, owner: Owner) -> Seed:
    """Create “Pinball Friends” with #pinball and #portland-news, two people and the bot."""
    administrator = state.add_user("marisol", "Marisol Vega")
    member = state.add_user("theo", "Theo Lindqvist")
    guild = owner.add_guild("Pinball Friends", administrator, member)
    owner.add_role(guild, "Organisers", EVERYTHING, administrator)
    pinball = owner.add_channel(guild.id, "pinball")
    news = owner.add_channel(guild.id, "portland-news")
    return Seed(guild, pinball, news, administrator, member)
