"""What the page shows, as JSON (pure). Messages are Discord's own payloads. Times are milliseconds since 1970."""

from datetime import datetime

from dispinmap_sandbox.discord import payloads
from dispinmap_sandbox.discord.models import Channel, Guild, Interaction, InteractionKind, Json, Message, User
from dispinmap_sandbox.discord.permissions import Permission, has
from dispinmap_sandbox.discord.state import State
from dispinmap_sandbox.submissions import SubmissionRow
from dispinmap_sandbox.world import World, WorldLocation

LATEST_SUBMISSIONS = 15


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def server(state: State, guild: Guild, viewer_id: int) -> Json:
    """The server as `viewer_id` sees it: channels, people and every message of every channel."""
    channels = [each for each in state.guild_channels(guild.id) if _can_see(state, viewer_id, each)]
    return {
        "guild": {"id": str(guild.id), "name": guild.name},
        "channels": [{"id": str(channel.id), "name": channel.name} for channel in channels],
        "users": [user(state, guild, member.user) for member in guild.members.values()],
        "messages": {
            str(channel.id): [message(each, state.bot) for each in state.channel_messages(channel.id, viewer_id)]
            for channel in channels
        },
    }


def _can_see(state: State, user_id: int, channel: Channel) -> bool:
    return has(state.channel_permissions(user_id, channel), Permission.VIEW_CHANNEL)


def user(state: State, guild: Guild, person: User) -> Json:
    """A person and their role here: administrator, member or app."""
    channels = state.guild_channels(guild.id)
    manages = any(has(state.channel_permissions(person.id, each), Permission.MANAGE_CHANNELS) for each in channels)
    role = "App" if person.bot else "Administrator" if manages else "Ordinary member"
    return {"id": str(person.id), "name": person.display_name, "bot": person.bot, "role": role}


def message(message: Message, bot: User) -> Json:
    """Discord's JSON, with links to the page's own attachments and the name of the command that was used."""
    payload = payloads.message(message, bot)
    for attachment in payload["attachments"]:
        attachment["url"] = f"/attachments/{attachment['id']}"
    if message.origin is not None and message.origin.kind is InteractionKind.COMMAND:
        payload["interaction_metadata"]["name"] = message.origin.name
    return payload


def interaction(interaction: Interaction) -> Json:
    return {"id": str(interaction.id), "status": interaction.state.value, "error": interaction.failure}


def world(world: World) -> Json:
    """The panel: all locations with their line-ups, the catalogue, and the newest submissions."""
    return {
        "locations": [_location(each) for each in world.locations],
        "catalog": [{"id": machine.id, "name": machine.name} for machine in world.catalog],
        "submissions": [_submission(row) for row in world.submissions[:LATEST_SUBMISSIONS]],
    }


def _location(location: WorldLocation) -> Json:
    return {
        "id": location.id,
        "name": location.name,
        "city": ", ".join(part for part in (location.city, location.state) if part),
        "machines": [{"id": machine.id, "name": machine.name} for machine in location.machines],
    }


def _submission(row: SubmissionRow) -> Json:
    return {
        "id": row.id,
        "type": str(row.submission_type),
        "location_name": row.venue.name,
        "machine_name": row.machine.name if row.machine else None,
        "comment": row.comment,
        "score": row.high_score,
        "created_at": milliseconds(row.created_at),
    }
