"""Handle a SIGTERM that comes while the program is still being imported.

The kernel does not deliver a signal to a container's first process if it has no handler for it. So for a second or two
a stop would be ignored: the bot would start all the same, and later be killed while it holds the lease.
"""

import os
import signal

INIT = 1

if os.getpid() == INIT:
    signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
