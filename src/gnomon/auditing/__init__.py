"""The audit: a plan goes in, a record comes out.

`api` is the way in and `run` the order of the steps. Each question has a folder: what is audited and who is who
(`inputs`), what the attacker sees (`evidence`), what would make the verdict false (`checks`), what is measured
(`results`), what is concluded (`verdict`). What is done with a finished record is in `gnomon.runs`.
"""
