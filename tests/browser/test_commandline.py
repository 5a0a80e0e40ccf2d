"""How a typed line is read; the page's own modules, run in the browser."""

from typing import Any

import pytest
from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")

ADD = {
    "name": "add location",
    "options": [
        {"name": "name", "type": 3, "required": True},
        {"name": "radius", "type": 4, "min_value": 1, "max_value": 100},
        {"name": "kind", "type": 3, "choices": [{"name": "All of it", "value": "all"}]},
        {"name": "loud", "type": 5},
    ],
}
READ = """async ([command, line]) => {
    const { parameters, valueOf } = await import("/static/commandline.js");
    const option = (name) => command.options.find((one) => one.name === name);
    try {
        const values = [...parameters(command, line)];
        return Object.fromEntries(values.map(([name, text]) => [name, valueOf(option(name), text)]));
    } catch (error) {
        return error.message;
    }
}"""


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("/add location name:Ground Kontrol", {"name": "Ground Kontrol"}),
        ("/add location name:Ground Kontrol radius:5", {"name": "Ground Kontrol", "radius": 5}),
        ('/add location name:"Ground Kontrol" loud:yes', {"name": "Ground Kontrol", "loud": True}),
        ("/add location radius:5 name: Joe's: Bar ", {"radius": 5, "name": "Joe's: Bar"}),
        (
            "/add location https://pinballmap.com/map?by_location_id=874",
            {"name": "https://pinballmap.com/map?by_location_id=874"},
        ),
        ("/add location Ground Kontrol kind:all of it", {"name": "Ground Kontrol", "kind": "all"}),
        ("/ADD  Location NAME:x", {"name": "x"}),
        ("/add location radius:5.5", "radius must be a whole number."),
        ("/add location radius:500", "radius must be at most 100."),
        ("/add location kind:none", "kind must be one of: All of it."),
        ("/add location loud:maybe", "loud must be true or false."),
    ],
)
async def test_a_typed_line_is_read_as_discord_would(script: Page, line: str, read: Any) -> None:  # noqa: ANN401 - JSON
    assert await script.evaluate(READ, [ADD, line]) == read


async def test_the_longest_command_name_wins(script: Page) -> None:
    source = """async (line) => {
        const { commandOf } = await import("/static/commandline.js");
        return commandOf([{ name: "add" }, { name: "add city" }], line)?.name ?? null;
    }"""
    assert await script.evaluate(source, "/add city Portland") == "add city"
    assert await script.evaluate(source, "/add citylights") == "add"
    assert await script.evaluate(source, "/added") is None


async def test_registered_commands_are_flattened_to_those_that_can_be_run(script: Page) -> None:
    registered = [
        {"name": "list", "description": "", "options": []},
        {
            "name": "add",
            "description": "",
            "options": [{"type": 1, "name": "city"}, {"type": 2, "name": "a", "options": [{"type": 1, "name": "b"}]}],
        },
        {"name": "User menu", "type": 2},
    ]
    source = """async (registered) => {
        const { runnable } = await import("/static/commandline.js");
        return runnable(registered).map(({ name }) => name);
    }"""
    assert await script.evaluate(source, registered) == ["add a b", "add city", "list"]
