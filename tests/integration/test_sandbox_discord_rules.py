"""The rules of the embedded Discord that are pure: pages, permissions, ids, limits, command parameters."""

from datetime import UTC, datetime, timedelta

import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispinmap_sandbox.discord.commands import check_registration, find, may_use, read_options
from dispinmap_sandbox.discord.errors import ApiError
from dispinmap_sandbox.discord.history import page
from dispinmap_sandbox.discord.limits import GLOBAL, Limits
from dispinmap_sandbox.discord.models import Channel, Guild, Json, Member, Message, Overwrite, Role, User
from dispinmap_sandbox.discord.permissions import EVERYTHING, Permission, permissions
from dispinmap_sandbox.discord.snowflakes import Snowflakes
from dispinmap_sandbox.errors import SandboxError
from dispinmap_sandbox.faults import FaultKind, Faults
from tests.fakes.clock import ManualClock

NOW = datetime(2026, 3, 1, tzinfo=UTC)
PERSON = User(7, "theo", "Theo")
ids = st.lists(st.integers(1, 300), unique=True, max_size=130).map(sorted)


def messages(numbers: list[int]) -> list[Message]:
    return [Message(number, 1, PERSON, NOW) for number in numbers]


@given(ids, st.integers(1, 100), st.integers(0, 301))
def test_a_page_is_the_nearest_messages_on_the_asked_side_newest_first(
    numbers: list[int], limit: int, middle: int
) -> None:
    def shown(**query: int) -> list[int]:
        return [m.id for m in page(messages(numbers), {k: str(v) for k, v in query.items()})]

    newest_first = numbers[::-1]
    assert shown(limit=limit) == newest_first[:limit]
    assert shown(limit=limit, before=middle) == [n for n in newest_first if n < middle][:limit]
    assert shown(limit=limit, after=middle) == [n for n in numbers if n > middle][:limit][::-1]
    around = shown(limit=limit, around=middle)
    assert len(around) <= limit
    assert around == sorted(set(around), reverse=True)
    assert middle in around or middle not in numbers


@pytest.mark.parametrize("query", [{"limit": "0"}, {"limit": "101"}, {"limit": "all"}, {"before": "now"}])
def test_a_page_asked_for_wrongly_is_refused(query: dict[str, str]) -> None:
    with pytest.raises(ApiError) as refused:
        page([], query)
    assert refused.value.code == 50035


@given(st.lists(st.timedeltas(timedelta(days=-1), timedelta(days=1)), min_size=2, max_size=50))
def test_ids_are_unique_and_increasing_whatever_the_clock_does(steps: list[timedelta]) -> None:
    clock = ManualClock(NOW)
    snowflakes = Snowflakes(clock)
    made = []
    for step in steps:
        clock.advance(step.total_seconds())
        made.append(snowflakes.next())
    assert made == sorted(set(made))


def test_an_id_tells_discord_py_its_time() -> None:
    assert discord.utils.snowflake_time(Snowflakes(ManualClock(NOW)).next()) == NOW


bits = st.integers(0, 31).map(
    lambda n: sum(
        permission
        for index, permission in enumerate(
            [
                Permission.VIEW_CHANNEL,
                Permission.SEND_MESSAGES,
                Permission.EMBED_LINKS,
                Permission.ATTACH_FILES,
                Permission.READ_MESSAGE_HISTORY,
            ]
        )
        if n >> index & 1
    )
)


def guild_with(everyone: int, role: int) -> tuple[Guild, Member]:
    guild = Guild(1, "g", owner_id=99, roles={1: Role(1, "@everyone", everyone), 2: Role(2, "r", role)})
    member = Member(PERSON, NOW, [2])
    guild.members[PERSON.id] = member
    return guild, member


@given(bits, bits, bits, bits)
def test_the_members_own_overwrite_has_the_last_word(everyone: int, role: int, allow: int, deny: int) -> None:
    guild, member = guild_with(everyone, role)
    channel = Channel(5, 1, "c", overwrites={7: Overwrite(7, is_member=True, allow=allow, deny=deny)})
    expected = (everyone | role) & ~deny | allow
    assert permissions(guild, member, channel) == (expected if expected & Permission.VIEW_CHANNEL else 0)


@given(bits, bits)
def test_administrators_and_owners_may_do_everything(everyone: int, denied: int) -> None:
    guild, member = guild_with(everyone, Permission.ADMINISTRATOR)
    channel = Channel(5, 1, "c", overwrites={7: Overwrite(7, is_member=True, deny=denied)})
    assert permissions(guild, member, channel) == EVERYTHING
    guild, member = guild_with(everyone, 0)
    guild.owner_id = PERSON.id
    assert permissions(guild, member, channel) == EVERYTHING


@given(st.lists(st.floats(0, 2, allow_nan=False), max_size=80))
def test_no_window_lets_more_through_than_its_limit(pauses: list[float]) -> None:
    limits, now, passed = Limits(), 0.0, []
    for pause in pauses:
        now += pause
        verdict = limits.take("POST /channels/{channel_id}/messages", {"channel_id": "1"}, now)
        if verdict.allowed:
            passed.append(now)
        else:
            assert verdict.body["retry_after"] > 0 or verdict.reset_after < 0.001
    # A fixed window can let twice its limit through around its edge, never more.
    assert all(len([at for at in passed if start <= at < start + 5]) <= 10 for start in passed)


def test_channels_have_windows_of_their_own_and_share_the_global_one() -> None:
    limits = Limits()
    route = "POST /channels/{channel_id}/messages"
    verdicts = [limits.take(route, {"channel_id": str(n)}, 0.5) for n in range(GLOBAL.limit + 1)]
    assert [verdict.allowed for verdict in verdicts] == [True] * GLOBAL.limit + [False]
    refused = verdicts[-1]
    assert refused.body["global"]
    assert refused.headers(0)["X-RateLimit-Global"] == "true"
    assert limits.take("POST /webhooks/{application_id}/{token}", {"token": "t"}, 0.5).allowed
    assert limits.take(route, {"channel_id": "1"}, 1.5).allowed


COMMANDS: list[Json] = [
    {"id": "1", "name": "ping", "description": "d", "options": []},
    {
        "id": "2",
        "name": "add",
        "description": "d",
        "options": [
            {
                "type": 1,
                "name": "city",
                "description": "d",
                "options": [
                    {"type": 3, "name": "name", "description": "Its name", "required": True, "max_length": 5},
                    {"type": 10, "name": "radius", "description": "d", "min_value": 1, "max_value": 100},
                    {
                        "type": 3,
                        "name": "kind",
                        "description": "d",
                        "choices": [{"name": "All", "value": "all"}],
                    },
                    {"type": 5, "name": "loud", "description": "d"},
                ],
            }
        ],
    },
]


def test_a_subcommand_is_sent_as_discord_nests_it() -> None:
    found = find(COMMANDS, "add city")
    options = read_options(found, {"name": "Berne", "radius": "2.5", "kind": "all", "loud": "true"})
    data = found.data(options)
    assert (data["id"], data["name"], data["type"]) == ("2", "add", 1)
    assert data["options"][0]["name"] == "city"
    assert [option["value"] for option in data["options"][0]["options"]] == ["Berne", 2.5, "all", True]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"name": "too long"}, "must have 0 to 5 characters"),
        ({"name": ""}, "needs “name”: Its name"),
        ({"name": "x", "radius": 101}, "must be between 1 and 100, not 101"),
        ({"name": "x", "radius": "wide"}, "“radius” must be a number, not “wide”"),
        ({"name": "x", "kind": "some"}, "is not a choice for “kind”: choose All"),
    ],
)
def test_a_parameter_out_of_its_bounds_is_refused_in_a_sentence(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(SandboxError, match=sentence):
        read_options(find(COMMANDS, "add city"), values)


def test_while_typing_nothing_is_required_and_the_parameter_is_marked() -> None:
    options = read_options(find(COMMANDS, "add city"), {"radius": "1", "name": "far too long"}, typing="name")
    assert options[1] == {"type": 3, "name": "name", "value": "far too long", "focused": True}


@pytest.mark.parametrize(
    ("needed", "bits", "may"),
    [(None, 0, True), ("16", 16, True), ("16", 8 | 2, True), ("16", 32, False), ("0", 16, False), ("0", 8, True)],
)
def test_default_permissions_decide_who_sees_a_command(needed: str | None, bits: int, *, may: bool) -> None:
    assert may_use({"default_member_permissions": needed}, bits) is may


@pytest.mark.parametrize(
    "command",
    [
        {"name": "Shout", "description": "d"},
        {"name": "two words", "description": "d"},
        {"name": "x", "description": ""},
        {"name": "x", "description": "d" * 101},
        {"name": "x", "description": "d", "options": [{"name": "o", "description": "d"}] * 26},
        {
            "name": "x",
            "description": "d",
            "options": [{"name": "a", "description": "d"}, {"name": "b", "description": "d", "required": True}],
        },
    ],
)
def test_a_command_that_discord_would_not_register_is_refused(command: Json) -> None:
    with pytest.raises(ApiError) as refused:
        check_registration([command])
    assert refused.value.code == 50035


def test_faults_are_used_up_oldest_first() -> None:
    faults = Faults()
    faults.fail("/channels/*", 500, method="POST")
    faults.drop("/channels/*/messages", method="POST", times=2)
    taken = [faults.take("POST", "/channels/1/messages") for _ in range(4)]
    kinds = [None if fault is None else fault.kind for fault in taken]
    assert kinds == [FaultKind.FAIL, FaultKind.DROP, FaultKind.DROP, None]
    assert faults.take("GET", "/channels/1/messages") is None
