"""Measures and writes `docs/performance.md` with its plots. `python -m benchmarks.report [--targets 1000 10000 ...]`

Every figure on the page comes from this run. The aims stand in `aims()`.
"""

import argparse
import asyncio
import os
import platform
import sqlite3
import timeit
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import absence, burst, memory, polls, reference
from benchmarks.absence import Absence
from benchmarks.plots import Series, plot
from benchmarks.polls import PollFigures
from benchmarks.reference import Round

DOCS: Final = Path(__file__).parents[1] / "docs"
PAGE: Final = DOCS / "performance.md"
PLOTS: Final = DOCS / "images"
YARDSTICK_ROUNDS: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class Aim:
    """What we want, what was measured, and whether that is enough."""

    wanted: str
    measured: str
    met: bool


async def measure(targets: Sequence[int], days: Sequence[int]) -> str:
    """Measure everything, write the plots, and return the page."""
    figures = await polls.measure(targets)
    naive = await reference.measure()
    print(naive)
    away = await absence.measure(days)
    bursts = await burst.measure()
    process = await memory.measure()
    print(process)
    for name, picture in plots(figures, naive).items():
        (PLOTS / name).write_text(picture, encoding="utf-8")
    return page(figures, naive, away, bursts, process)


def page(
    figures: Sequence[PollFigures],
    naive: Round,
    away: Sequence[Absence],
    bursts: Sequence[burst.Figures],
    process: memory.Figures,
) -> str:
    """The text of `docs/performance.md`."""
    return f"""# Performance

`make bench` measures this and writes this page. The run was on {datetime.now(UTC):%d %B %Y}, with {machine()}.
{YARDSTICK_ROUNDS:,} rounds of a simple loop in Python took it {yardstick():.2f} s: compare that before you compare anything
else. Other programs ran on the same machine, and its speed varied by half within the hour.

## Aims

{table(("Aim", "Measured", "Met"), ((each.wanted, each.measured, "yes" if each.met else "**no**") for each in [*aims(figures, away), *process_aims(bursts, process)]))}

## A poll

The real poller and client ask an embedded Pinball Map in another process, on a database that the real migrations made.
Half of the targets are locations, the others cities and points, in 500 cities at least 50 miles apart; a channel has
ten. Each line is measured in new processes. An idle poll brings nothing new; its figures are medians of 20.

{table(("Targets", "CPU, ms", "Time, ms", "Memory, MiB", "Written, bytes"), ((f"{each.targets:,}", f"{each.idle_cpu_ms:.1f}", f"{each.idle_wall_ms:.1f}", f"{each.idle_memory_mib:.2f}", f"{each.idle_log_bytes:,.0f}") for each in figures))}

Memory is by how much all 20 polls together made the process grow. Written is what one poll adds to SQLite's log.

![CPU of an idle poll against the number of targets](images/poll-idle.svg)

The reference is a poller of the usual kind that asks once for every target. With {naive.targets:,} targets a round takes
it {naive.requests:,} requests, {naive.cpu_ms:,.0f} ms of CPU and {naive.wall_s:.1f} s without a limit, with answers that
are nearly all empty. Pinball Map allows {reference.REQUESTS_A_MINUTE} requests a minute, so a round really takes
{naive.requests / reference.REQUESTS_A_MINUTE:.1f} minutes; with 100,000 targets it would be
{100_000 / reference.REQUESTS_A_MINUTE / 60:.1f} hours (computed). DisPinMap sends one request, whatever the number of
targets. The dashed line is computed from the measured {naive.targets:,} targets.

## A page of 200 news

200 submissions, all new, in 200 cities. They concern the same 10,000 targets in 1,000 channels (or all targets if there
are fewer), whatever the total. From the first request to the last commit, so with the request that makes sure that
nothing is missing behind the 200. The fastest of {polls.PAGE_RUNS} runs.

{table(("Targets", "Notifications", "Time, s", "CPU, s", "Memory, MiB"), ((f"{each.targets:,}", f"{each.notifications:,}", f"{each.page_wall_s:.2f}", f"{each.page_cpu_s:.2f}", f"{each.page_memory_mib:.1f}") for each in figures))}

![Time for a page of news against the number of targets](images/poll-page.svg)

## One submission

The whole poll that brings one submission, which matches the same number of targets, whatever the total. Medians of 20.

{table(("Targets", "Matches", "CPU, ms", "Time, ms"), ((f"{each.targets:,}", f"{each.matches:g}", f"{each.single_cpu_ms:.1f}", f"{each.single_wall_ms:.1f}") for each in figures))}

![CPU of a poll with one submission against the number of targets](images/poll-single.svg)

## The event loop

A task wants to run every millisecond. This is the longest time it had to wait, in ms: by the clock, which other programs
lengthen, and by the CPU of the event loop's own thread.

{table(("Targets", "Asleep", "20 idle polls", "their CPU", "Page of news", "its CPU"), ((f"{each.targets:,}", f"{each.blocked_asleep_ms:.1f}", f"{each.blocked_idle_ms:.1f}", f"{each.blocked_idle_cpu_ms:.1f}", f"{each.blocked_page_ms:.1f}", f"{each.blocked_page_cpu_ms:.1f}") for each in figures))}

After new targets came, the first poll works out their map cells. For all of them at once that took, in order,
{", ".join(f"{each.first_poll_s:.1f} s" for each in figures)}.

## An absence

The bot was away while 330 submissions a day came, then polled and sent until nothing was left. What it owes to each
channel is counted by a separate model of a few lines. The minutes are computed: the requests at the real pace of
{absence.PAGES_A_MINUTE} a minute. Messages are the median of what a channel got.

{table(("Days", "Places", "Killed", "Submissions", "Owed", "Lost", "Twice", "Requests", "Minutes", "Messages"), ((str(each.days), str(each.places), str(each.kills), f"{each.missed:,}", f"{each.owed:,}", str(each.lost), str(each.twice), f"{each.requests:,}", f"{each.minutes:.1f}", f"{each.messages:g}") for each in away))}

Killed means `kill -9` in the middle of reading and posting. A few places are looked up one by one instead of reading
the whole feed. Requests of a killed bot include those it repeated after a start.

## A burst

500 notifications become due at once in {burst.CHANNELS} channels, against the embedded Discord with its rate limits on,
where a post takes {burst.LATENCY_SECONDS} s: first the five of a channel in one message, then each in a message of its
own. While they leave, somebody gives commands.

{table(("Messages", "Seconds", "Posts a second", "Most in a second", "Answers 429", "Slowest command, s"), ((str(each.messages), f"{each.seconds:.1f}", f"{each.per_second:.1f}", str(each.busiest_second), str(each.refused), f"{each.slowest_command:.2f}") for each in bursts))}

## Memory and start

The whole bot as a process of its own, everything outside in another one. Resident memory, and seconds from the start of
the process to `/ready` on a database at head (median of {memory.STARTS}, and the slowest).

{table(("Start, s", "Slowest, s", "Idle, MiB", f"{memory.SERVERS:,} servers x {memory.TARGETS} targets, MiB", f"After {memory.WARM_UP} polls, MiB", f"After {memory.POLLS:,} more, MiB"), [(f"{process.start_seconds:.2f}", f"{process.slowest_start_seconds:.2f}", f"{process.idle_mib:.0f}", f"{process.servers_mib:.0f}", f"{process.warm_mib:.0f}", f"{process.polled_mib:.0f}")])}
"""  # noqa: E501 - a table is one expression


def aims(figures: Sequence[PollFigures], away: Sequence[Absence]) -> list[Aim]:
    """Those whose numbers of targets were measured."""
    of = {each.targets: each for each in figures}
    found = []
    if 1_000 in of and 100_000 in of:
        small, large = of[1_000], of[100_000]
        ratio = large.idle_cpu_ms / small.idle_cpu_ms
        blocked = max(large.blocked_idle_ms, large.blocked_page_ms)
        found += [
            Aim(
                "An idle poll at 100,000 targets takes less than 20 ms of CPU",
                f"{large.idle_cpu_ms:.1f} ms",
                large.idle_cpu_ms < 20,
            ),
            Aim("and at most twice that of 1,000 targets", f"{ratio:.2f} times", ratio <= 2),
            Aim(
                "A poll at 100,000 targets blocks the event loop for less than 50 ms", f"{blocked:.1f} ms", blocked < 50
            ),
        ]
    if 10_000 in of:
        seconds = of[10_000].page_wall_s
        found.append(
            Aim("A page of 200 news for 10,000 targets is saved in less than 0.5 s", f"{seconds:.2f} s", seconds < 0.5)
        )
    if 10_000 in of and 1_000_000 in of:
        ratio = of[1_000_000].single_cpu_ms / of[10_000].single_cpu_ms
        found.append(
            Aim(
                "A poll with one submission at 1,000,000 targets takes at most twice that of 10,000",
                f"{ratio:.2f} times",
                ratio <= 2,
            )
        )
    lost, twice = sum(each.lost for each in away), sum(each.twice for each in away)
    found.append(
        Aim("After any absence nothing is lost or posted twice", f"{lost} lost, {twice} twice", not lost and not twice)
    )
    return found


def process_aims(bursts: Sequence[burst.Figures], process: memory.Figures) -> list[Aim]:
    """Those of the bot as a whole."""
    refused, slowest = sum(each.refused for each in bursts), bursts[-1].per_second
    promised = memory.PROMISED
    return [
        Aim("A burst draws no answer 429", str(refused), not refused),
        Aim("500 messages leave at 47 a second or more", f"{slowest:.1f}", slowest >= burst.LEAST_PER_SECOND),
        Aim("Ready within 1 s", f"{process.start_seconds:.2f} s", process.start_seconds < promised["start_seconds"]),
        Aim("Idle in less than 85 MiB", f"{process.idle_mib:.0f} MiB", process.idle_mib < promised["idle_mib"]),
        Aim(
            "1,000 servers with 10 targets each in less than 110 MiB",
            f"{process.servers_mib:.0f} MiB",
            process.servers_mib < promised["servers_mib"],
        ),
        Aim(
            f"Flat over 1,000 polls, once {memory.WARM_UP} have warmed it up",
            f"{process.polled_mib - process.warm_mib:+.1f} MiB",
            process.polled_mib <= process.warm_mib + memory.GROWTH_MIB,
        ),
    ]


def plots(figures: Sequence[PollFigures], naive: Round) -> dict[str, str]:
    """The pictures by file name."""
    counts = [each.targets for each in figures]
    computed = [(count, naive.cpu_ms * count / naive.targets) for count in counts]
    return {
        "poll-idle.svg": plot(
            "CPU of an idle poll",
            "targets",
            "milliseconds",
            [
                Series("DisPinMap", [(each.targets, each.idle_cpu_ms) for each in figures]),
                Series("one request a target", computed, computed=True),
            ],
        ),
        "poll-page.svg": plot(
            "A page of 200 news",
            "targets",
            "seconds",
            [
                Series("until saved", [(each.targets, each.page_wall_s) for each in figures]),
                Series("CPU", [(each.targets, each.page_cpu_s) for each in figures]),
            ],
        ),
        "poll-single.svg": plot(
            "A poll with one submission",
            "targets",
            "milliseconds of CPU",
            [
                Series("one submission", [(each.targets, each.single_cpu_ms) for each in figures]),
                Series("nothing new", [(each.targets, each.idle_cpu_ms) for each in figures]),
            ],
        ),
    }


def machine() -> str:
    """Such as "2 cores, Python 3.11.7 and SQLite 3.51.3"."""
    return f"{os.cpu_count()} cores, Python {platform.python_version()} and SQLite {sqlite3.sqlite_version}"


def yardstick() -> float:
    """Seconds for a loop that depends on the machine and the interpreter alone; the fastest of five."""
    return min(timeit.repeat(f"for number in range({YARDSTICK_ROUNDS}): number * number % 7", number=1, repeat=5))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, nargs="+", default=polls.TARGETS)
    parser.add_argument("--days", type=int, nargs="+", default=absence.DAYS)
    arguments = parser.parse_args()
    text = asyncio.run(measure(arguments.targets, arguments.days))
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
