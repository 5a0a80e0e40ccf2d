"""`/add location`, `/add city` and `/add coordinates`."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

import discord
from discord import app_commands
from discord.ext import commands

from dispinmap.discordbot import texts
from dispinmap.discordbot.commands.base import (
    ChangingCog,
    Choices,
    channel_ref,
    group,
    lacking_for_cards,
    send_view,
    subcommand,
    suggesting,
)
from dispinmap.discordbot.errors import Context
from dispinmap.discordbot.markdown import clean, cut
from dispinmap.discordbot.parsing import parse_degrees, split_radius
from dispinmap.discordbot.views import MENU_OPTIONS, ChoiceView
from dispinmap.errors import UserError
from dispinmap.targets.naming import unquoted
from dispinmap.targets.service import Added
from dispinmap.targets.values import parse_radius

_RADIUS = "Such as 25, 25 mi or 40 km: from 1 to 100 miles; 25 miles if you leave it out"


class Degrees(commands.Converter[float], app_commands.Transformer):
    """A number in a slash command. In a message it may end with the comma of a copied pair of coordinates."""

    @property
    def type(self) -> discord.AppCommandOptionType:
        return discord.AppCommandOptionType.number

    async def transform(self, _interaction: discord.Interaction, value: float, /) -> float:
        return float(value)

    async def convert(self, _ctx: commands.Context[Any], argument: str) -> float:
        return parse_degrees(argument)


class AddCog(ChangingCog):
    """Adds targets."""

    @group(name="add", description="Watch a location, a city or a point in this channel")
    async def add(self, _ctx: Context) -> None:
        raise UserError(
            "What should I add? Try `add location Ground Kontrol`, `add city Portland, OR 25` "
            "or `add coordinates 45.52 -122.68 25`."
        )

    @subcommand(add, name="location", description="Watch one location on Pinball Map")
    @app_commands.describe(name="The location’s name, id or pinballmap.com link")
    async def location(self, ctx: Context, *, name: str) -> None:
        wanted = unquoted(name)
        channel = channel_ref(ctx)
        found = await self.services.targets.find_locations(wanted)
        if not found:
            raise UserError(texts.no_location(wanted))

        async def chosen(index: int) -> str:
            return await self._answer(ctx, await self.services.targets.add_location(channel, found[index]))

        await self._choose(ctx, [texts.location_option(one) for one in found], chosen)

    @location.autocomplete("name")
    @suggesting
    async def suggest_locations(self, _interaction: discord.Interaction, current: str) -> Choices:
        hints = await self.services.targets.suggest_locations(current)
        return [
            app_commands.Choice(name=cut(clean(hint.label), texts.OPTION_LIMIT) or str(hint.id), value=str(hint.id))
            for hint in hints
        ]

    @subcommand(add, name="city", description="Watch the area around a city")
    @app_commands.describe(
        name="A city, such as Portland; add the state or country if there are several: Portland, OR", radius=_RADIUS
    )
    async def city(self, ctx: Context, *, name: str, radius: str | None = None) -> None:
        wanted, radius = (unquoted(name), radius) if ctx.interaction else split_radius(name)
        miles = _miles(radius)
        channel = channel_ref(ctx)
        found = await self.services.targets.find_places(wanted)
        if not found:
            raise UserError(texts.no_place(wanted))

        async def chosen(index: int) -> str:
            return await self._answer(ctx, await self.services.targets.add_city(channel, found[index], miles))

        await self._choose(ctx, [texts.place_option(one) for one in found], chosen)

    @subcommand(add, name="coordinates", description="Watch the area around a point")
    @app_commands.describe(
        latitude="Decimal degrees, such as 45.5231", longitude="Decimal degrees, such as -122.6765", radius=_RADIUS
    )
    async def coordinates(
        self,
        ctx: Context,
        latitude: Annotated[float, Degrees],
        longitude: Annotated[float, Degrees],
        *,
        radius: str | None = None,
    ) -> None:
        channel = channel_ref(ctx)
        miles = _miles(radius)
        result = await self.services.targets.add_coordinates(channel, latitude, longitude, miles)
        await ctx.send(await self._answer(ctx, result))

    async def _choose(
        self, ctx: Context, options: Sequence[tuple[str, str]], chosen: Callable[[int], Awaitable[str]]
    ) -> None:
        if len(options) == 1:
            await ctx.send(await chosen(0))
            return
        view = ChoiceView(ctx.author.id, self.desk, options, chosen, self.may_change)
        await send_view(ctx, texts.several(len(options), min(len(options), MENU_OPTIONS)), view)

    async def _answer(self, ctx: Context, result: Added) -> str:
        channel = await self.services.targets.channel(ctx.channel.id)
        return texts.added(result, channel, lacking_for_cards(ctx))


def _miles(radius: str | None) -> float | None:
    """None if no radius was given, which means the default."""
    return parse_radius(unquoted(radius)) if radius and radius.strip() else None
