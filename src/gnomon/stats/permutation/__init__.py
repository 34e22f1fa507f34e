"""Permutation tests: what chance alone would do if membership were drawn anew.

`permuted_sums` says how sums over the members are distributed then; `joint` tests all attacks at once with their
number paid for, `shift` whether two sides differ in any of many columns.
"""
