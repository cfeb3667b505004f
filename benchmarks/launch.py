"""Runs one command and prints its seconds, its peak of memory in KiB, its exit status, and its CPU seconds.

    python -I -S launch.py OUTPUT COMMAND [ARGUMENT...]

Its output goes to the file OUTPUT, its errors to OUTPUT.err. This is a program of its own because the kernel counts
the memory of the process that starts a command towards the peak of the command: it must be smaller than any of them.
"""

import os
import sys
import time

output, *command = sys.argv[1:]
mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
files = [
    (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, output, mode, 0o666),
    (os.POSIX_SPAWN_OPEN, 2, output + ".err", mode, 0o666),
]
start = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawn(command[0], command, os.environ, file_actions=files), 0)
print(time.perf_counter() - start, usage.ru_maxrss, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime)
