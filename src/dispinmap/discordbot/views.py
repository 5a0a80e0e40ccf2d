"""Menus and buttons. Only the person who asked may use them, and they time out; every failure is answered."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import discord
import structlog
from discord.ext import commands

from dispinmap.discordbot.errors import ErrorDesk
from dispinmap.discordbot.markdown import cut

_log = structlog.stdlib.get_logger(__name__)

MENU_OPTIONS = 25
"""Discord allows no more in a select menu."""
MENU_SECONDS = 120.0
PAGER_SECONDS = 300.0

NOTHING = discord.AllowedMentions.none()
_TAKEN = "taken"

Allowed = Callable[[discord.Permissions], bool]


def everyone(_permissions: discord.Permissions) -> bool:
    """For controls that change nothing."""
    return True


async def answer_expired(interaction: discord.Interaction) -> None:
    """Answer a press on controls that no view handles, because they timed out or the bot was restarted.

    Call this for every interaction, after discord.py has passed it to its view.
    """
    if interaction.type is discord.InteractionType.component and _TAKEN not in interaction.extras:
        await interaction.response.send_message(
            "This was already used or is too old. Give the command again.", ephemeral=True
        )


class AskerView(discord.ui.View):
    """Controls for the person who gave the command, as long as `allowed` accepts their permissions."""

    message: discord.Message | None = None
    """Set once it is sent, so that the controls can be disabled when they time out."""
    expired = ""
    """What the message says after the time-out. If empty, the message stays as it is."""

    def __init__(self, asker_id: int, desk: ErrorDesk, seconds: float, allowed: Allowed = everyone) -> None:
        super().__init__(timeout=seconds)
        self._asker_id = asker_id
        self._desk = desk
        self._allowed = allowed

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        interaction.extras[_TAKEN] = True
        if interaction.user.id != self._asker_id:
            await interaction.response.send_message(
                "Only the person who gave the command can use this. Give the command yourself.", ephemeral=True
            )
            return False
        if not self._allowed(interaction.permissions):
            raise commands.MissingPermissions(["manage_channels"])
        return True

    async def on_error(
        self, interaction: discord.Interaction, error: Exception, _item: discord.ui.Item[Any], /
    ) -> None:
        await self._desk.answer_interaction(interaction, error, type(self).__name__)

    async def on_timeout(self) -> None:
        if self.message is None:
            return
        self._disable()
        try:
            if self.expired:
                await self.message.edit(content=self.expired, view=self, allowed_mentions=NOTHING)
            else:
                await self.message.edit(view=self)
        except discord.HTTPException as error:
            # The message was deleted, or its interaction is too old to edit it: there is nothing to disable.
            _log.info("view_not_disabled", message_id=self.message.id, status=error.status)
        except Exception as error:  # noqa: BLE001 (the outermost frame of a timer: no one awaits it)
            self._desk.report(error, type(self).__name__, self.message.channel.id)

    def _disable(self) -> None:
        for child in self.children:
            if isinstance(child, discord.ui.Button | discord.ui.Select):
                child.disabled = True

    async def _finish(self, interaction: discord.Interaction, work: Callable[[], Awaitable[str]]) -> None:
        """Remove the controls, so that a second press cannot repeat the work; then do it and show the result."""
        self.stop()
        await interaction.response.edit_message(view=None)
        await interaction.edit_original_response(content=await work(), allowed_mentions=NOTHING)


class ChoiceView(AskerView):
    """A select menu. `chosen` gets the option's index and returns the message's new text."""

    expired = "You didn’t choose in time, so nothing changed. Give the command again."

    def __init__(
        self,
        asker_id: int,
        desk: ErrorDesk,
        options: Sequence[tuple[str, str]],
        chosen: Callable[[int], Awaitable[str]],
        allowed: Allowed = everyone,
    ) -> None:
        super().__init__(asker_id, desk, MENU_SECONDS, allowed)
        self._chosen = chosen
        self.add_item(_Menu(options))

    async def picked(self, interaction: discord.Interaction, index: int) -> None:
        await self._finish(interaction, lambda: self._chosen(index))


class _Menu(discord.ui.Select[ChoiceView]):
    def __init__(self, options: Sequence[tuple[str, str]]) -> None:
        shown = [
            discord.SelectOption(label=label, description=description, value=str(index))
            for index, (label, description) in enumerate(options[:MENU_OPTIONS])
        ]
        super().__init__(placeholder="Choose one", options=shown)

    async def callback(self, interaction: discord.Interaction) -> None:
        if self.view is not None:
            await self.view.picked(interaction, int(self.values[0]))


class SeveralView(AskerView):
    """A select menu for one or more options. `chosen` gets their values and returns the message's new text."""

    expired = ChoiceView.expired

    def __init__(
        self,
        asker_id: int,
        desk: ErrorDesk,
        options: Sequence[discord.SelectOption],
        chosen: Callable[[Sequence[str]], Awaitable[str]],
        allowed: Allowed = everyone,
    ) -> None:
        super().__init__(asker_id, desk, MENU_SECONDS, allowed)
        self._chosen = chosen
        self.add_item(_SeveralMenu(options))

    async def picked(self, interaction: discord.Interaction, values: Sequence[str]) -> None:
        await self._finish(interaction, lambda: self._chosen(values))


class _SeveralMenu(discord.ui.Select[SeveralView]):
    def __init__(self, options: Sequence[discord.SelectOption]) -> None:
        super().__init__(placeholder="Choose one or more", max_values=len(options), options=list(options))

    async def callback(self, interaction: discord.Interaction) -> None:
        if self.view is not None:
            await self.view.picked(interaction, self.values)


class PageView(AskerView):
    """Pages of text with buttons for the previous and the next one. Each page must fit into one message."""

    def __init__(self, asker_id: int, desk: ErrorDesk, pages: Sequence[str], allowed: Allowed = everyone) -> None:
        super().__init__(asker_id, desk, PAGER_SECONDS, allowed)
        self._pages = pages
        self._index = 0
        if len(pages) < 2:
            self.remove_item(self.previous)
            self.remove_item(self.next)
        self._update()

    @property
    def text(self) -> str:
        """The page that is shown."""
        return self._pages[self._index]

    def _update(self) -> None:
        self.previous.disabled = self._index == 0
        self.next.disabled = self._index == len(self._pages) - 1
        self.next.label = cut(f"Next ({self._index + 1} of {len(self._pages)})", 80)

    async def _turn(self, interaction: discord.Interaction, by: int) -> None:
        self._index = max(0, min(self._index + by, len(self._pages) - 1))
        self._update()
        turned = await interaction.response.edit_message(content=self.text, view=self, allowed_mentions=NOTHING)
        if turned and isinstance(turned.resource, discord.Message):
            # The token of this press is valid for 15 minutes. The command's own token may soon be too old for an edit.
            self.message = turned.resource

    @discord.ui.button(label="Previous")
    async def previous(self, interaction: discord.Interaction, _button: discord.ui.Button["PageView"]) -> None:
        await self._turn(interaction, -1)

    @discord.ui.button(label="Next")
    async def next(self, interaction: discord.Interaction, _button: discord.ui.Button["PageView"]) -> None:
        await self._turn(interaction, 1)


class ApplyView(PageView):
    """A dry run in pages, with buttons to apply or cancel it."""

    expired = "You didn’t press Apply in time, so nothing changed. Give the command again."

    def __init__(
        self,
        asker_id: int,
        desk: ErrorDesk,
        pages: Sequence[str],
        apply: Callable[[], Awaitable[str]],
        allowed: Allowed = everyone,
    ) -> None:
        super().__init__(asker_id, desk, pages, allowed)
        self._apply = apply

    @discord.ui.button(label="Apply", style=discord.ButtonStyle.success, row=1)
    async def apply(self, interaction: discord.Interaction, _button: discord.ui.Button["ApplyView"]) -> None:
        await self._finish(interaction, self._apply)

    @discord.ui.button(label="Cancel", style=discord.ButtonStyle.secondary, row=1)
    async def cancel(self, interaction: discord.Interaction, _button: discord.ui.Button["ApplyView"]) -> None:
        self.stop()
        await interaction.response.edit_message(content="Cancelled. Nothing changed.", view=None)
