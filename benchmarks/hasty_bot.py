"""The bot as `dispinmap run` starts it, but on a fast clock, and asking Pinball Map as often as that clock says.

`python -m benchmarks.hasty_bot ORIGIN FACTOR`; the limit of 30 requests a minute counts real time.
"""

import sys

from dispinmap.cli import launching
from dispinmap.pinballmap.client import PinballMapClient
from tests.fakes.fast_clock import FastClock

REQUESTS_PER_MINUTE = 1e6


def main() -> None:
    origin, factor = map(float, sys.argv[1:])
    defaults = PinballMapClient.__init__.__kwdefaults__ or {}
    defaults["requests_per_minute"] = REQUESTS_PER_MINUTE
    vars(launching)["SystemClock"] = lambda: FastClock(origin, factor)
    launching.run()


if __name__ == "__main__":
    main()
