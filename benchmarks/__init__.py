"""Speed against signac 2.4.1 and against the floor, measured in one run: ``make bench``.

``workloads.py`` says what is measured, and which ratio is aimed at; ``projects.py`` on what. Both programs, each in an
environment of its own below ``build/bench``, run in turn in fresh processes: commands are timed from outside
(``launch.py``), library calls from inside (``inside.py``; what is imported on first use counts, ``import signac`` does
not). Both must come to the same result. A floor is what no program could do without: starting Python and importing
Click, listing the workspace, reading or writing the files.

Projects lie in memory where there is enough of it (``BENCH_DATA=DIRECTORY``: in that directory), so that figures are of
the programs and not of a disk. What a disk far away makes of them show the runs below ``tests/faults/shim.c``, which
lets each call on metadata wait.

One workload in a few seconds::

    python -m benchmarks --sizes 1000 --only 'find: range, half, warm'
"""
