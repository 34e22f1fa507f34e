"""Arrays on disk, by content: what was computed once is never computed again, and never mistaken for another thing.

A key is the digest of everything that decides the result (data, rows, recipe, seed, versions), never a path or a
count. Files appear atomically, carry a checksum that is checked when they are read, and are memory-mapped. A damaged
file is named and discarded, never used.
"""
