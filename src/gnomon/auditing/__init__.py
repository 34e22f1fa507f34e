"""The audit: a plan goes in, a record comes out.

`run` is the order of the steps, from a plan to a record; `api` makes a plan of Python objects; `prepare` settles what a
plan leaves open (for audits, `synth` and released models alike). Each question has a folder: what is audited and who is
who (`inputs`), what the attacker sees (`evidence`), what would make the verdict false (`checks`), what is measured
(`results`), what is concluded (`verdict`), what a model holds by itself (`structure`), what whoever decides is told
(`decision`). What is done with a finished record is in `gnomon.runs`.
"""
