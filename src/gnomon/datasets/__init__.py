"""Data sets to measure on, one module a source, and readers for the user's own files.

Embedded and scikit-learn's sets need no network; the others are fetched from their canonical address with a pinned
checksum, or read from a local mirror named by the environment variable GNOMON_DATA.
"""
