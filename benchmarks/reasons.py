"""Why signac 2.4.1 is faster in some rows: what is known."""

from __future__ import annotations

import re

UNEXPLAINED = "unexplained"

KNOWN = {
    r"^network (doc\[KEY\] = VALUE|doc\.update|write a key of a document)": (
        "a lock that other tasks respect, and a new file that takes the place of the old one: signac 2.4.1 takes no "
        "lock, and loses what others write at the same time"
    ),
    r"^commands rm\b|^(loops|network|library) remove\(\)": (
        "renamed first, under a lock, so that no reader meets half a job"
    ),
    r"^(loops|network) sp\[KEY\] = VALUE": "a lock, and a file that tells the new state point to readers meanwhile",
    r"^(loops|network) init\(\)": "a job is made under a hidden name and then renamed: it is there whole or not at all",
    r"cached_statepoint, warm": (
        "whether the job is still there is looked up, and what is handed out may be changed: signac 2.4.1 hands out "
        "what it has in its cache, of jobs that have gone, too"
    ),
    r"^(loops|network) open_job\(id\)\.isfile": "one look at the job and one at the file in both: equal but for noise",
    r"durable": "what was written is flushed to the disk; signac 2.4.1 cannot do that",
}
"""By a regular expression that is found in 'GROUP WORKLOAD, STATE'."""


def reason(group: str, name: str) -> str:
    """Why a row is slower than in signac 2.4.1, if that is known.

    >>> reason("network", "remove(), cold"), reason("commands", "find: all jobs, warm")
    ('renamed first, under a lock, so that no reader meets half a job', 'unexplained')
    """
    return next((text for pattern, text in KNOWN.items() if re.search(pattern, f"{group} {name}")), UNEXPLAINED)
