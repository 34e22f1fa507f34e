"""The documents that gnomon writes and reads, each versioned JSON whose fields are only ever added.

`record` is what one audit found, and `record_parts` what it consists of. `comparison`, `defence`, `study` and
`reproduction` put many audits together, `annex` is what is signed of one. All are made of the parts in `schema`, and
`read_write` reads and writes them.
"""
