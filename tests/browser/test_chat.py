"""The chat: commands, answers, buttons and menus, as a person uses them."""

import asyncio

import pytest
from playwright.async_api import FilePayload, Locator, Page, Route, expect

from tests.browser.conftest import Stage

pytestmark = pytest.mark.asyncio(loop_scope="session")


def log(tab: Page) -> Locator:
    return tab.get_by_role("log", name="Messages")


def line(tab: Page) -> Locator:
    return tab.get_by_label("Message", exact=True)


async def enter(tab: Page, text: str) -> None:
    await line(tab).press_sequentially(text)
    await line(tab).press("Enter")


async def test_an_empty_channel_tells_what_to_type_first(tab: Page) -> None:
    await expect(tab.get_by_role("heading", name="Try the whole thing in three steps")).to_be_visible()
    await enter(tab, "hello")
    await expect(tab.get_by_role("heading", name="Try the whole thing in three steps")).to_be_hidden()


async def test_a_command_typed_as_one_line_runs(tab: Page) -> None:
    await enter(tab, "/add location name:Ground Kontrol")
    await expect(log(tab)).to_contain_text("Watching [Ground Kontrol] note []")
    await expect(log(tab)).to_contain_text("Marisol Vega used /add location")
    await expect(log(tab).get_by_text("APP", exact=True)).to_be_visible()
    await expect(log(tab).get_by_text("Sending")).to_have_count(0)


async def test_quotes_and_further_parameters_are_understood(tab: Page) -> None:
    await enter(tab, '/add location name:"Ground Kontrol" note: a b c')
    await expect(log(tab)).to_contain_text("Watching [Ground Kontrol] note [a b c]")


async def test_a_command_is_picked_and_filled_in_field_by_field(tab: Page) -> None:
    await line(tab).press_sequentially("/")
    await expect(tab.get_by_role("option", name="/kinds")).to_contain_text("Which kinds")
    await line(tab).press_sequentially("add")
    await line(tab).press("Tab")
    await expect(tab.get_by_label("name", exact=True)).to_be_focused()
    await tab.keyboard.type("Anywhere")
    await tab.get_by_role("button", name="+ note").click()
    await tab.keyboard.type("second")
    await tab.keyboard.press("Enter")
    await expect(log(tab)).to_contain_text("Watching [Anywhere] note [second]")
    await expect(line(tab)).to_be_focused()


async def test_autocomplete_suggests_and_sends_what_the_suggestion_stands_for(tab: Page) -> None:
    await enter(tab, "/add location")
    await tab.keyboard.type("ground")
    await expect(tab.get_by_role("option")).to_have_text(["Ground Kontrol Classic Arcade", "Ground Round"])
    await tab.keyboard.press("ArrowDown")
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_label("name", exact=True)).to_have_value("Ground Round")
    await tab.keyboard.press("Enter")
    await expect(log(tab)).to_contain_text("Watching [id-1]")


async def test_a_choice_is_one_of_the_list(tab: Page) -> None:
    await enter(tab, "/kinds")
    await expect(tab.get_by_role("option")).to_have_text(["Machines", "Comments"])
    await tab.get_by_role("option", name="Comments").click()
    await tab.get_by_role("button", name="Run").click()
    await expect(log(tab)).to_contain_text("Kind comments")


async def test_a_number_out_of_range_is_explained_before_it_is_sent(tab: Page) -> None:
    await enter(tab, "/rate minutes:90")
    await expect(tab.get_by_role("status").filter(has_text="minutes must be at most 60.")).to_be_visible()
    await expect(line(tab)).to_have_value("/rate minutes:90")


async def test_a_missing_parameter_is_asked_for(tab: Page) -> None:
    await enter(tab, "/rate")
    await expect(tab.get_by_label("minutes")).to_be_focused()
    await tab.keyboard.press("Enter")
    await expect(tab.get_by_text("minutes is required.")).to_be_visible()
    await tab.keyboard.type("15")
    await tab.keyboard.press("Enter")
    await expect(log(tab)).to_contain_text("Every 15 minutes")


async def test_escape_leaves_a_command(tab: Page) -> None:
    await enter(tab, "/rate")
    await tab.keyboard.press("Escape")
    await expect(line(tab)).to_be_focused()
    await expect(tab.get_by_role("form", name="Command")).to_be_hidden()


async def test_an_unknown_command_is_explained(tab: Page) -> None:
    await enter(tab, "/nonsense now")
    await expect(tab.get_by_text("There is no command /nonsense for you here.")).to_be_visible()


async def test_a_mention_reaches_the_bot(tab: Page) -> None:
    await line(tab).press_sequentially("@Dis")
    await line(tab).press("Tab")
    await enter(tab, "list")
    await expect(log(tab)).to_contain_text("heard @DisPinMap list")
    await expect(log(tab).locator(".mention")).to_have_text("@DisPinMap")


async def test_a_button_works_again_and_again_and_a_disabled_one_does_not(tab: Page) -> None:
    await enter(tab, "/button")
    await expect(tab.get_by_role("button", name="Never")).to_be_disabled()
    await tab.get_by_role("button", name="Press").click()
    await expect(log(tab)).to_contain_text("pressed 1")
    await tab.get_by_role("button", name="Press").click()
    await expect(log(tab)).to_contain_text("pressed 2")


async def test_a_menu_is_chosen_from_with_the_mouse(tab: Page) -> None:
    await enter(tab, "/menu")
    await tab.get_by_role("button", name="Which Springfield?").click()
    await tab.get_by_role("option", name="Missouri").click()
    await expect(log(tab)).to_contain_text("chosen mo")


async def test_a_menu_is_chosen_from_with_the_keyboard(tab: Page) -> None:
    await enter(tab, "/menu")
    await tab.get_by_role("button", name="Which Springfield?").press("Enter")
    await tab.keyboard.press("ArrowDown")
    await tab.keyboard.press("Enter")
    await expect(log(tab)).to_contain_text("chosen mo")


async def test_an_ephemeral_answer_is_seen_by_its_reader_alone(tab: Page) -> None:
    await enter(tab, "/secret")
    await expect(log(tab)).to_contain_text("between us")
    await expect(log(tab)).to_contain_text("Only you can see this")
    await enter(tab, "for all")
    await tab.get_by_text("Theo Lindqvist").click()
    await expect(log(tab)).to_contain_text("for all")
    await expect(log(tab)).not_to_contain_text("between us")
    await tab.get_by_text("Marisol Vega").first.click()
    await expect(log(tab)).to_contain_text("between us")
    await tab.get_by_role("button", name="Dismiss message").click()
    await expect(log(tab)).not_to_contain_text("between us")


async def test_the_ordinary_member_is_offered_less_and_speaks_under_their_own_name(tab: Page) -> None:
    await tab.get_by_text("Theo Lindqvist").click()
    await line(tab).press_sequentially("/")
    await expect(tab.get_by_role("option", name="/kinds")).to_be_visible()
    await expect(tab.get_by_role("option", name="/rate")).to_have_count(0)
    await line(tab).press("Escape")
    await line(tab).fill("hello")
    await line(tab).press("Enter")
    await expect(log(tab).locator(".author")).to_have_text("Theo Lindqvist")


async def test_nobody_is_offered_the_commands_of_who_spoke_before(tab: Page) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def hold(route: Route) -> None:
        asked.set()
        await answered.wait()
        await route.continue_()

    await tab.route("**/api/commands?*", hold)
    await tab.get_by_text("Theo Lindqvist").click()
    await asked.wait()
    await line(tab).press_sequentially("/")
    answered.set()
    await expect(tab.get_by_role("option", name="/kinds")).to_be_visible()
    await expect(tab.get_by_role("option", name="/rate")).to_have_count(0)


async def test_a_deferred_answer_shows_thinking_until_it_comes(tab: Page, stage: Stage) -> None:
    await enter(tab, "/think")
    await expect(log(tab)).to_contain_text("DisPinMap is thinking…")
    assert stage.bot.waiting is not None
    await stage.bot.waiting.followup.send("the answer")
    await expect(log(tab)).to_contain_text("the answer")
    await expect(log(tab)).not_to_contain_text("thinking")


async def test_a_command_without_an_answer_fails_visibly(tab: Page) -> None:
    await enter(tab, "/silence")
    await expect(log(tab)).to_contain_text("Sending /silence…")
    await expect(log(tab)).to_contain_text("The application did not respond")
    await tab.get_by_role("button", name="Dismiss").click()
    await expect(log(tab)).not_to_contain_text("did not respond")


async def test_typing_is_shown(tab: Page, stage: Stage) -> None:
    channel = stage.bot.get_partial_messageable(stage.seed.pinball.id)
    async with channel.typing():
        await expect(tab.get_by_text("DisPinMap is typing…")).to_be_visible()
    await channel.send("done")
    await expect(tab.get_by_text("DisPinMap is typing…")).to_be_hidden()


async def test_an_attachment_is_downloaded(tab: Page) -> None:
    await enter(tab, "/export")
    async with tab.expect_download() as download:
        await tab.get_by_role("link", name="set-up.txt").click()
    file = await download.value
    assert file.suggested_filename == "set-up.txt"
    assert (await file.path()).read_text() == "/add location 874\n"


async def test_a_file_is_uploaded(tab: Page) -> None:
    await enter(tab, "/import")
    await tab.get_by_label("file").set_input_files(FilePayload(name="a.txt", mimeType="text/plain", buffer=b"/add 874"))
    await tab.get_by_role("button", name="Run").click()
    await expect(log(tab)).to_contain_text("read /add 874")


async def test_a_file_cannot_be_typed_and_is_asked_for(tab: Page) -> None:
    await enter(tab, "/import file:set-up.txt")
    await expect(log(tab)).to_contain_text("“file” takes a file: attach one.")


async def test_another_channels_messages_are_marked_unread_until_it_is_opened(tab: Page, stage: Stage) -> None:
    await stage.bot.get_partial_messageable(stage.seed.news.id).send("news")
    news = tab.get_by_role("button", name="portland-news")
    await expect(news.get_by_label("1 unread")).to_be_visible()
    await expect(tab).to_have_title("(1) DisPinMap sandbox")
    await news.click()
    await expect(log(tab)).to_contain_text("news")
    await expect(news.get_by_label("1 unread")).to_have_count(0)


async def test_what_was_edited_and_deleted_meanwhile_is_shown_as_it_is(tab: Page, stage: Stage) -> None:
    channel = stage.bot.get_partial_messageable(stage.seed.pinball.id)
    first, second = await channel.send("first"), await channel.send("second")
    await expect(log(tab)).to_contain_text("second")
    await first.edit(content="changed")
    await second.delete()
    await expect(log(tab)).to_contain_text("changed(edited)")
    await expect(log(tab)).not_to_contain_text("second")


async def test_the_page_recovers_from_a_lost_connection(tab: Page, stage: Stage) -> None:
    port = int(stage.page.url.rsplit(":", 1)[1])
    await stage.page.stop()
    await expect(tab.get_by_text("Reconnecting…")).to_be_visible()
    await stage.bot.get_partial_messageable(stage.seed.pinball.id).send("meanwhile")
    await stage.page.start(port=port)
    await expect(log(tab)).to_contain_text("meanwhile")
    await expect(tab.get_by_text("Reconnecting…")).to_be_hidden()
