"""The audit: a plan goes in, a record comes out.

`preflight` looks for what would make the verdict false, `run` trains, attacks and measures, `gate` turns a record into
an exit code for a build pipeline.
"""
