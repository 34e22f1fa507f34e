"""Laws of one record's signal over shadow models: its moments, and what few values say of the next one.

`moments` counts and averages over models that knew the record and that did not; `student` predicts the next value
with a prior for all records, `conditional` given other quantities.
"""
