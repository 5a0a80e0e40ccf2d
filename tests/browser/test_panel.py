"""The Pinball Map panel, and the sandbox's time."""

from datetime import timedelta

import pytest
from playwright.async_api import Locator, Page, expect

from dispinmap.pinballmap.models import SubmissionType
from dispinmap_sandbox.world import UNKNOWN_TYPE
from tests.browser.conftest import Stage
from tests.browser.test_chat import log

pytestmark = pytest.mark.asyncio(loop_scope="session")
GROUND_KONTROL = 874
MONSTER_BASH = "Monster Bash (Williams, 1998)"


def panel(tab: Page) -> Locator:
    return tab.get_by_role("complementary", name="Pinball Map")


async def open_ground_kontrol(tab: Page) -> None:
    await panel(tab).get_by_role("button", name="Ground Kontrol Classic Arcade").click()


def newest(stage: Stage) -> tuple[str, str | None, str | None]:
    row = stage.world.submissions[0]
    return str(row.submission_type), row.machine.name if row.machine else None, row.comment


async def test_venues_are_found_by_name_and_city(tab: Page, stage: Stage) -> None:
    await expect(tab.get_by_text(f"{len(stage.world.locations)} venues")).to_be_visible()
    await tab.get_by_role("searchbox", name="Venues").fill("kontrol portland")
    await expect(panel(tab).locator(".venue")).to_have_count(1)
    await expect(panel(tab).locator(".venue")).to_contain_text("Portland, OR · ")
    await tab.get_by_role("searchbox", name="Venues").fill("nowhere")
    await expect(tab.get_by_text("No venue has that name.")).to_be_visible()


async def test_a_machine_is_added_from_the_catalogue(tab: Page, stage: Stage) -> None:
    here = {machine.id for machine in stage.world.location(GROUND_KONTROL).machines}
    machine = next(machine for machine in stage.world.catalog if machine.id not in here)
    await open_ground_kontrol(tab)
    await panel(tab).get_by_label("Add a machine").fill(machine.name)
    await panel(tab).get_by_label("Add a machine").press("Enter")
    await panel(tab).get_by_role("button", name="Add", exact=True).click()
    await expect(panel(tab).get_by_role("button", name=f"Remove {machine.name}")).to_be_visible()
    assert newest(stage) == (SubmissionType.NEW_LMX, machine.name, None)
    await expect(panel(tab).locator("#submissions li").first).to_contain_text(machine.name)


async def test_a_machine_is_removed(tab: Page, stage: Stage) -> None:
    await open_ground_kontrol(tab)
    await panel(tab).get_by_role("button", name=f"Remove {MONSTER_BASH}").click()
    await expect(panel(tab).get_by_role("button", name=f"Remove {MONSTER_BASH}")).to_have_count(0)
    assert newest(stage) == (SubmissionType.REMOVE_MACHINE, MONSTER_BASH, None)


async def test_a_comment_is_posted_under_the_given_name(tab: Page, stage: Stage) -> None:
    await open_ground_kontrol(tab)
    await panel(tab).get_by_label("Your name on Pinball Map").fill("tilt_queen")
    await panel(tab).get_by_role("button", name=f"Comment on {MONSTER_BASH}").click()
    await panel(tab).get_by_role("textbox", name=f"Comment on {MONSTER_BASH}").fill("Plays great")
    await panel(tab).get_by_role("button", name="Post comment").click()
    await expect(tab.get_by_text(f"Commented on {MONSTER_BASH}.")).to_be_visible()
    assert newest(stage) == (SubmissionType.NEW_CONDITION, MONSTER_BASH, "Plays great")
    assert stage.world.submissions[0].user.name == "tilt_queen"


async def test_a_line_up_is_confirmed(tab: Page, stage: Stage) -> None:
    await open_ground_kontrol(tab)
    await panel(tab).get_by_role("button", name="Confirm line-up").click()
    await expect(tab.get_by_text("Line-up confirmed.")).to_be_visible()
    assert newest(stage) == (SubmissionType.CONFIRM_LOCATION, None, None)


async def test_a_score_is_posted(tab: Page, stage: Stage) -> None:
    await open_ground_kontrol(tab)
    await panel(tab).get_by_role("button", name=f"Score on {MONSTER_BASH}").click()
    await panel(tab).get_by_role("spinbutton", name=f"Score on {MONSTER_BASH}").fill("1234567")
    await panel(tab).get_by_role("button", name="Post score").click()
    await expect(tab.get_by_text(f"Posted a score on {MONSTER_BASH}.")).to_be_visible()
    assert newest(stage) == (SubmissionType.NEW_MSX, MONSTER_BASH, None)
    await expect(panel(tab).locator("#submissions li").first).to_contain_text("1,234,567")


async def test_a_location_opens_next_door_and_closes_again(tab: Page, stage: Stage) -> None:
    await open_ground_kontrol(tab)
    await panel(tab).get_by_label("Open a location next door").fill("Annex")
    await panel(tab).get_by_role("button", name="Open", exact=True).click()
    await expect(tab.get_by_text("Opened Annex.")).to_be_visible()
    await expect(panel(tab).locator("#submissions li").first).to_contain_text("Location opened")
    await panel(tab).get_by_role("button", name="All venues").click()
    await panel(tab).get_by_role("button", name="Annex").click()
    await panel(tab).get_by_role("button", name="Close location").click()
    await expect(tab.get_by_text("Closed Annex.")).to_be_visible()
    await expect(panel(tab).get_by_role("button", name="Annex")).to_have_count(0)
    assert newest(stage) == (SubmissionType.DELETE_LOCATION, None, None)


async def test_something_that_the_bot_does_not_know_happens(tab: Page, stage: Stage) -> None:
    await open_ground_kontrol(tab)
    await panel(tab).get_by_role("button", name="Something new").click()
    await expect(tab.get_by_text("Something new happened.")).to_be_visible()
    assert newest(stage) == (UNKNOWN_TYPE, None, None)


async def test_what_pinball_map_refuses_is_explained(tab: Page) -> None:
    await open_ground_kontrol(tab)
    await panel(tab).get_by_label("Your name on Pinball Map").fill(" ")
    await panel(tab).get_by_role("button", name="Confirm line-up").click()
    await expect(tab.get_by_text("The user name is empty")).to_be_visible()


async def test_the_clock_jumps_an_hour_after_a_change_unless_told_not_to(tab: Page, stage: Stage) -> None:
    await open_ground_kontrol(tab)
    before = stage.clock.now()
    await panel(tab).get_by_role("button", name="Confirm line-up").click()
    await expect(tab.get_by_text("The clock jumped one hour")).to_be_visible()
    assert stage.clock.now() - before >= timedelta(hours=1)
    await panel(tab).get_by_label("Skip the waiting after each change").uncheck()
    before = stage.clock.now()
    await panel(tab).get_by_role("button", name="Confirm line-up").click()
    await expect(tab.get_by_text("The card comes with the target's next turn.")).to_be_visible()
    assert stage.clock.now() - before < timedelta(hours=1)


@pytest.mark.parametrize(("button", "minutes"), [("+5 min", 5), ("+15 min", 15), ("+1 h", 60)])
async def test_fast_forward_moves_the_clock(tab: Page, stage: Stage, button: str, minutes: int) -> None:
    before = stage.clock.now()
    await panel(tab).get_by_role("button", name=button).click()
    await expect(tab.get_by_text(f"The clock jumped: {button}.")).to_be_visible()
    passed = stage.clock.now() - before
    assert timedelta(minutes=minutes) <= passed < timedelta(minutes=minutes + 1)


async def test_markup_in_a_comment_stays_text_everywhere(tab: Page, stage: Stage) -> None:
    attack = '<img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>'
    await open_ground_kontrol(tab)
    await panel(tab).get_by_role("button", name=f"Comment on {MONSTER_BASH}").click()
    await panel(tab).get_by_role("textbox", name=f"Comment on {MONSTER_BASH}").fill(attack)
    await panel(tab).get_by_role("button", name="Post comment").click()
    await expect(panel(tab).locator("#submissions li").first).to_contain_text(attack)
    await stage.bot.get_partial_messageable(stage.seed.pinball.id).send(attack)
    await expect(log(tab)).to_contain_text(attack)
    assert await tab.locator("#log img, #log script, #submissions img, #submissions script").count() == 0
    await expect(tab).to_have_title("DisPinMap sandbox")


async def test_the_page_fits_900_pixels(tab: Page) -> None:
    await tab.set_viewport_size({"width": 900, "height": 700})
    await open_ground_kontrol(tab)
    assert await tab.evaluate("document.documentElement.scrollWidth") == 900
    for name in ("Confirm line-up", "+1 h", "Add"):
        box = await panel(tab).get_by_role("button", name=name, exact=True).bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 900
