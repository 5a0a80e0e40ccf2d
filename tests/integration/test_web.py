"""The web pages, asked over HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from dispinmap.errors import SettingsError
from dispinmap.health import HealthReport, Starting, judge
from dispinmap.web import look
from dispinmap.web.server import WebServer
from tests.fakes.reports import DRILLED_AT, SECRET, UNWELL, WELL

STANDBY = Starting("Another bot holds the lease: this one waits for it to stop.")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"
PATIENCE = 60
State = HealthReport | Starting | Exception


@asynccontextmanager
async def asking(report: Callable[[], Awaitable[HealthReport | Starting]]) -> AsyncIterator[aiohttp.ClientSession]:
    web = WebServer(report)
    port = await web.start("127.0.0.1", 0)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
            yield session
    finally:
        await web.stop()


def bot(state: State) -> Callable[[], Awaitable[HealthReport | Starting]]:
    async def report() -> HealthReport | Starting:
        if isinstance(state, Exception):
            raise state
        return state

    return report


async def page(state: State, path: str, **headers: str) -> tuple[int, str]:
    async with asking(bot(state)) as session, session.get(path, headers=headers) as answer:
        return answer.status, await answer.text()


async def samples(state: State) -> dict[str, float]:
    """Every sample of `/metrics`, named with its labels."""
    _, text = await page(state, "/metrics")
    return {
        sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value
        for family in read_text(text)
        for sample in family.samples
    }


@pytest.mark.parametrize("state", [WELL, UNWELL, STANDBY, OSError("disk")])
async def test_a_process_that_answers_is_alive(state: State) -> None:
    assert await page(state, "/health") == (200, '{"status": "alive"}')


async def test_a_bot_that_works_is_ready_and_says_so_of_every_part() -> None:
    async with asking(bot(WELL)) as session, session.get("/ready") as answer:
        assert answer.status == 200
        assert await answer.json() == {
            "ready": True,
            "parts": {name: {"ok": True, "reason": part.reason} for name, part in judge(WELL).items()},
            "faults": {},
        }


async def test_a_bot_with_a_fault_is_not_ready_and_says_which() -> None:
    async with asking(bot(UNWELL)) as session, session.get("/ready") as answer:
        assert answer.status == 503
        found = await answer.json()
    assert found["ready"] is False
    assert list(found["faults"]) == ["discord", "loops", "backup", "drill"]
    assert found["parts"]["database"]["ok"] is True
    assert found["faults"]["loops"] == "The feed loop failed 3 times in a row, last with KeyError."


async def test_a_bot_in_standby_is_not_ready_and_says_what_it_waits_for() -> None:
    async with asking(bot(STANDBY)) as session, session.get("/ready") as answer:
        assert answer.status == 503
        assert (await answer.json())["faults"] == {"start": STANDBY.sentence}


async def test_a_report_that_fails_is_shown_everywhere() -> None:
    status, text = await page(OSError(SECRET), "/ready")
    assert status == 503
    assert "cannot tell its state (OSError): see the log." in text
    assert "cannot tell its state (OSError): see the log." in (await page(OSError(SECRET), "/"))[1]
    assert (await samples(OSError(SECRET)))["dispinmap_ready"] == 0


async def test_a_report_that_never_ends_is_shown_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look, "REPORT_SECONDS", 0.05)

    async def report() -> HealthReport:
        await asyncio.Event().wait()
        return WELL

    async with asyncio.timeout(PATIENCE), asking(report) as session, session.get("/ready") as answer:
        assert answer.status == 503
        assert "cannot tell its state (TimeoutError)" in await answer.text()


@pytest.mark.parametrize("state", [WELL, UNWELL, OSError(SECRET)])
@pytest.mark.parametrize("path", ["/", "/ready", "/metrics"])
async def test_nothing_private_leaves(state: State, path: str) -> None:
    assert SECRET not in (await page(state, path))[1]


@pytest.mark.parametrize("path", ["/", "/status.css", "/health", "/ready", "/metrics", "/nothing"])
async def test_nothing_is_stored_or_framed_or_runs(path: str) -> None:
    async with asking(bot(WELL)) as session, session.get(path) as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


async def test_metrics_carry_what_the_report_says() -> None:
    found = await samples(WELL)
    assert {name: found.get(name) for name in EXPECTED} == EXPECTED


EXPECTED = {
    "dispinmap_ready": 1,
    "dispinmap_part_ok backup": 1,
    "dispinmap_gateway_connected": 1,
    "dispinmap_loop_up feed": 1,
    "dispinmap_errors_total": 1,
    "dispinmap_polls_total ok": 12727,
    "dispinmap_polls_total failed": 3,
    "dispinmap_pinballmap_requests_total not_modified": 4610,
    "dispinmap_malformed_rows_total": 2,
    "dispinmap_last_good_poll_timestamp_seconds": (WELL.now - timedelta(minutes=4)).timestamp(),
    "dispinmap_deliveries_total sent": 2011,
    "dispinmap_deliveries_total rejected": 0,
    "dispinmap_notifications pending": 14,
    "dispinmap_due_notifications": 2,
    "dispinmap_oldest_due_age_seconds": 30,
    "dispinmap_messages_in_doubt": 0,
    "dispinmap_parked_channels": 1,
    "dispinmap_channels": 31,
    "dispinmap_targets": 118,
    "dispinmap_submissions_stored": 48211,
    "dispinmap_newest_submission_timestamp_seconds": (WELL.now - timedelta(minutes=11)).timestamp(),
    "dispinmap_replication_lag_seconds": 2,
    "dispinmap_litestream_restarts_total": 1,
    "dispinmap_last_drill_timestamp_seconds": DRILLED_AT.timestamp(),
    "dispinmap_last_good_drill_timestamp_seconds": DRILLED_AT.timestamp(),
    "dispinmap_last_drill_success": 1,
    "dispinmap_drill_restore_seconds": 0.24,
    "dispinmap_start_restore_seconds": 0.7,
    f"dispinmap_info 0.3.13 43d138bd38f5 {version('dispinmap')}": 1,
}


async def test_metrics_tell_faults() -> None:
    found = await samples(UNWELL)
    zero = ("ready", "gateway_connected", "loop_up feed", "part_ok drill", "last_drill_success")
    assert [found[f"dispinmap_{name}"] for name in zero] == [0] * len(zero)
    assert found["dispinmap_replication_lag_seconds"] == 420
    assert "dispinmap_drill_restore_seconds" not in found


async def test_metrics_know_little_while_the_bot_starts() -> None:
    found = await samples(STANDBY)
    ours = {name for name in found if name.startswith("dispinmap_")}
    assert ours == {"dispinmap_ready", "dispinmap_part_ok start", f"dispinmap_info   {version('dispinmap')}"}
    assert found["process_resident_memory_bytes"] > 0
    assert found["process_open_fds"] > 0
    assert found["process_cpu_seconds_total"] > 0


async def test_metrics_without_a_backup_say_nothing_of_one() -> None:
    found = await samples(replace(WELL, backup=None, queue=replace(WELL.queue, oldest_due_at=None)))
    assert not any("drill_" in name or "replication" in name or "litestream" in name for name in found)
    assert found["dispinmap_oldest_due_age_seconds"] == 0


async def test_a_replica_that_never_caught_up_lags_since_the_start() -> None:
    assert WELL.backup is not None
    found = await samples(replace(WELL, backup=replace(WELL.backup, caught_up_at=None)))
    assert found["dispinmap_replication_lag_seconds"] == 9 * 86400


async def test_every_metric_explains_itself_in_the_format_that_was_asked_for() -> None:
    _, text = await page(WELL, "/metrics", Accept=OPENMETRICS)
    families = list(read_openmetrics(text))  # type: ignore[no-untyped-call]  # prometheus-client leaves it untyped
    ours = [family for family in families if family.name.startswith("dispinmap")]
    assert len(ours) > 25
    assert all(family.documentation.endswith(".") for family in ours)


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "text/plain",
        "text/plain; version=1.0.0; escaping=underscores",
        OPENMETRICS,
        "application/openmetrics-text; version=new",
    ],
)
async def test_prometheus_can_read_its_content_type(accept: str) -> None:
    async with asking(bot(WELL)) as session, session.get("/metrics", headers={"Accept": accept}) as answer:
        assert answer.status == 200
        wanted = "application/openmetrics-text" if accept == OPENMETRICS else "text/plain"
        assert answer.headers["Content-Type"].startswith(f"{wanted}; version=")


async def test_the_page_gives_each_part_its_verdict() -> None:
    _, text = await page(UNWELL, "/")
    assert "<title>Something needs attention · DisPinMap</title>" in text
    rows = [re.sub("<.*?>", "|", row) for row in re.findall('<li class="unwell">(.*?)</li>', text)]
    assert rows[0] == "|Discord||Needs attention||Discord&#x27;s gateway is not connected.|"
    assert (len(rows), text.count('<li class="well">')) == (4, 3)


async def test_the_page_tells_numbers_and_the_kind_of_storage() -> None:
    status, text = await page(WELL, "/")
    assert status == 200
    shown = re.sub("<.*?>", " ", text)
    for words in ("All is well", "118 targets in 31 channels", "48,211", "11 minutes ago", "Google Cloud Storage"):
        assert words in shown
    for words in ("14 pending, 3,907 sent, 55 cancelled", "8,120 ok, 4,610 not modified", "0.3.13, 1 restart"):
        assert words in shown


async def test_the_page_calls_a_backup_that_is_not_configured_off() -> None:
    _, text = await page(replace(WELL, backup=None), "/")
    assert text.count('<p class="state">Off</p><p>Not configured.</p>') == 2
    assert "Litestream" not in text


async def test_the_page_of_a_starting_bot_says_what_it_waits_for() -> None:
    _, text = await page(STANDBY, "/")
    assert "<h1>Starting</h1>" in text
    assert STANDBY.sentence in text


async def test_text_from_others_is_escaped() -> None:
    assert "<b>" not in (await page(Starting("<b>bold</b>"), "/"))[1]


async def test_a_crowd_costs_one_look() -> None:
    looks = 0

    async def report() -> HealthReport:
        nonlocal looks
        looks += 1
        await asyncio.sleep(0)
        return WELL

    web = WebServer(report)
    found = await asyncio.gather(*(web._look() for _ in range(5)))
    assert (looks, [look.report for look in found]) == (1, [WELL] * 5)
    await web._look()
    assert looks == 2


async def test_a_port_that_is_taken_is_a_sentence() -> None:
    first, second = WebServer(bot(WELL)), WebServer(bot(WELL))
    port = await first.start("127.0.0.1", 0)
    try:
        with pytest.raises(SettingsError, match=f"PORT {port} cannot be used"):
            await second.start("127.0.0.1", port)
    finally:
        await first.stop()
        await second.stop()
