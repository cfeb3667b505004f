r"""The index: state points by the values of their keys, so that a query over N jobs does not read N files.

The index is derived data. It may be absent, truncated, damaged, written by others, out of date or not writable: then it
is ignored, and rebuilt when there is a chance, but never an error and never the reason for another answer. What it
holds cannot go out of date, because a state point does not change under its id; only *which* jobs exist can, and that
is decided by the signature of the workspace directory (`stamps`) or else by a listing. The one exception: a state point
file that is damaged after it was indexed is found by ``signac check``, not by queries.

Files
-----
``.signac/index`` (the *base*) and ``.signac/index.delta`` (a small correction of it, which names its base by a random
id) are *tables*; so is ``.signac/index.documents``, which holds the documents of the rows of its base. Each is replaced
by a rename. In ``SIGNAC_CACHE_DIR``, if that is set, they are called ``<name>-<hash of the project path>``.

Format of a table, version 2
----------------------------
All numbers are little-endian. Positions of jobs, *rows*, count from 0 in the order of the sorted ids.

====================  ==================================================================================================
header, 40 bytes      ``signacIX``, u32 version, u64 offset and u64 length of the directory, u32 CRC of the directory,
                      u32 CRC of the 32 bytes before, u32 zero
ids                   16 bytes each, sorted, in blocks of 4096
chunks                up to 512 values of one key, of one class, with the rows that have them: the values as a JSON
                      array, then u32 numbers of rows per value (left out when all are 1), then u32 rows value by value
                      (left out when it is one value that all rows have)
chunk lists           per key, a JSON array of ``[class, low, high, values, rows, length of the JSON, offset, length,
                      CRC]``; class 0 are numbers and booleans and class 1 texts, sorted with their bounds, class 2 is
                      anything else, and class 3 has no values but the rows whose values are too long to be kept here
texts                 state points (or documents) as JSON by row, separated by newlines, in blocks of 32 rows, each
                      compressed by zlib; ``null`` for a row without one. Then one section for all of them: u64 offset
                      of the first block, and for each block u32 length, u32 CRC, and u32 twice the length of its
                      content, plus 1 if any parser of JSON reads the same values in it
states                a byte per row, if not all are 2: 0 nothing, 1 an empty mapping, 2 a mapping, 3 one that is too
                      large to be kept here
extra                 of the base: its ids, 16 bytes each, in the order in which the workspace was listed, so that
                      another listing can be compared with that one (`changes`); of the documents: their signatures
directory             a JSON object, see `table.Directory`
====================  ==================================================================================================

Every section is read with its length and CRC-32 (that of zlib) and believed only if they are right.
"""
