"""Finished runs: read back from their folders, compared with each other, held against limits.

`folder` writes and reads a run, `compare` says whether the second of two leaks more than the first, `gate` turns a
record into an exit code for a build pipeline.
"""
