"""Much of everything: the work grows as the input does, and nothing ends at the limit of recursion."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

SMALL, LARGE = 400, 1600
"""Sizes of the input that are compared."""
GROWTH = LARGE / SMALL * 1.5
"""What is quadratic grows by the square of the ratio."""


def steps(function: Callable[[], Any]) -> int:
    """Count the instructions that Python executes in a function, and in all that it calls."""
    number = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal number
        frame.f_trace_opcodes = True
        frame.f_trace_lines = False
        number += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return number
