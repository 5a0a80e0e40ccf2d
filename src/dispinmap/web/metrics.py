"""The bot's state as Prometheus metrics."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dispinmap.health import RUNNING, BackupState, HealthReport
from dispinmap.web.look import Look


def exposition(look: Look, accept: str) -> tuple[bytes, str]:
    """The metrics and their content type: OpenMetrics or Prometheus' own text, as the `Accept` header asks."""
    registry = CollectorRegistry()
    registry.register(_Collector(look))
    ProcessCollector(registry=registry)
    try:
        encoder, content_type = choose_encoder(accept)
    except TypeError:
        # It compares the requested version with numbers, even if it is not one.
        encoder, content_type = choose_encoder("")
    return encoder(registry), content_type


class _Collector(Collector):
    def __init__(self, look: Look) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        report = self._look.report
        yield _info(report)
        yield _gauge("ready", "1 while every part of the bot does its work.", float(self._look.ready))
        parts = {name: float(part.ok) for name, part in self._look.parts.items()}
        yield _gauges("part_ok", "1 while this part of the bot does its work.", "part", parts)
        if report is not None:
            yield from _work(report)
            yield from _watched(report)
            if report.backup is not None:
                yield from _backup(report, report.backup)


def _info(report: HealthReport | None) -> Metric:
    known = {
        "version": version("dispinmap"),
        "revision": (report.database_revision if report else None) or "",
        "litestream": report.backup.litestream if report and report.backup else "",
    }
    return InfoMetricFamily("dispinmap", "The bot's version, its database's revision, and Litestream's version.", known)


def _work(report: HealthReport) -> Iterator[Metric]:
    queue = report.queue
    yield _gauge("gateway_connected", "1 while Discord's gateway is connected.", float(report.gateway_connected))
    loops = {name: float(state == RUNNING) for name, state in report.loops.items()}
    yield _gauges("loop_up", "1 while this loop runs, 0 after a failure until it is restarted.", "loop", loops)
    yield _counter("errors", "Failures of loops and commands.", report.errors)
    yield _counters("polls", "Looks at Pinball Map's feed, by outcome.", "outcome", report.polls)
    yield _counters("pinballmap_requests", "Requests to Pinball Map, retries too.", "outcome", report.requests)
    yield _counter("malformed_rows", "Rows of Pinball Map that could not be read.", report.malformed_rows)
    yield from _moment("last_good_poll", "The last poll that succeeded.", report.last_good_poll_at)
    yield _counters("deliveries", "Attempts to post a message, by outcome.", "outcome", report.deliveries)
    states = {state: float(count) for state, count in report.notifications.items()}
    yield _gauges("notifications", "Notifications in the database, by state.", "state", states)
    yield _gauge("due_notifications", "Notifications that should be leaving now.", queue.due)
    age = (report.now - queue.oldest_due_at).total_seconds() if queue.oldest_due_at else 0.0
    yield _gauge("oldest_due_age_seconds", "How long the oldest due notification has been due; 0 without one.", age)
    yield _gauge("messages_in_doubt", "Messages whose last attempt has no known outcome.", queue.in_doubt)
    yield _gauge("parked_channels", "Channels that refuse messages.", queue.parked_channels)


def _watched(report: HealthReport) -> Iterator[Metric]:
    yield _gauge("channels", "Active channels.", report.channels)
    yield _gauge("targets", "Targets of active channels.", report.targets)
    yield _gauge("submissions_stored", "Submissions in the local copy.", report.submissions)
    yield from _moment("newest_submission", "When the newest known submission was made.", report.newest_submission_at)


def _backup(report: HealthReport, backup: BackupState) -> Iterator[Metric]:
    lag = (report.now - (backup.caught_up_at or report.started_at)).total_seconds()
    yield _gauge("replication_lag_seconds", "Since the replica held everything, or since the start if never.", lag)
    yield _counter("litestream_restarts", "How often Litestream had to be started again.", backup.restarts)
    yield from _moment("last_good_drill", "The last restore drill that succeeded.", backup.last_good_drill_at)
    if backup.restored_in_seconds is not None:
        yield _gauge("start_restore_seconds", "How long the restore at this start took.", backup.restored_in_seconds)
    drill = backup.last_drill
    if drill is not None:
        yield from _moment("last_drill", "The last restore drill.", drill.finished_at)
        yield _gauge("last_drill_success", "1 if the last restore drill succeeded.", float(drill.problem is None))
        if drill.restore_seconds is not None:
            yield _gauge("drill_restore_seconds", "How long the last drill's restore took.", drill.restore_seconds)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"dispinmap_{name}", text, value)


def _gauges(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(f"dispinmap_{name}", text, labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _counter(name: str, text: str, value: int) -> Metric:
    return CounterMetricFamily(f"dispinmap_{name}", f"{text} Since the start.", value)


def _counters(name: str, text: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"dispinmap_{name}", f"{text} Since the start.", labels=[label])
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _moment(name: str, text: str, at: datetime | None) -> Iterator[Metric]:
    if at is not None:
        yield _gauge(f"{name}_timestamp_seconds", f"{text} Unix time.", at.timestamp())
