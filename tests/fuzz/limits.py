"""What a run may use: a run that hangs or swallows the memory is stopped."""

from __future__ import annotations

import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SECONDS = 60
BYTES = 1 << 30


class HangsError(BaseException):
    """Not an `Exception`, which the program would catch."""


@contextmanager
def limited(seconds: int = SECONDS, memory: int = BYTES) -> Iterator[None]:
    """Stop what runs for too long, and refuse memory beyond so many bytes more than there are now."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise HangsError

    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    handler = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
