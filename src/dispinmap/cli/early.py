"""SIGTERM while the program is still being imported.

The kernel keeps from the first process of a container every signal for which it has no handler: for a second or two a
stop would be overlooked, the bot would start all the same, and be killed with the lease in its hand.
"""

import os
import signal

INIT = 1

if os.getpid() == INIT:
    signal.signal(signal.SIGTERM, lambda number, _frame: os._exit(128 + number))
