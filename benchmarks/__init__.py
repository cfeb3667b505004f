"""Speed against signac 2.4.1 and against the floor, measured in one run: ``make bench``.

``commands.py`` and ``library.py`` say what is measured, ``targets.py`` what is to be reached, ``shapes.py`` and
``projects.py`` on what. Both programs, each in an environment of its own below ``build/bench``, run in turn in fresh
processes (``measuring.py``): commands are timed from outside (``launch.py``), library calls from inside
(``inside/run.py``). Both must come to the same result. A floor (``inside/floors.py``) is what no program could do
without: starting Python and importing Click, listing the workspace, reading or writing the files.

Projects lie in memory where there is enough of it (``BENCH_DATA=DIRECTORY``: in that directory), so that figures are of
the programs and not of a disk. What a disk far away makes of them show the runs below ``tests/faults/shim.c``, which
lets each call on metadata wait.

One workload in a few seconds::

    python -m benchmarks --size 1000 --shape flat --only 'find: range, half, warm'
"""
