"""Papers run again: their experiments within a budget of time, and which of their statements hold.

`experiments` reads a paper's experiments (those of Shokri et al., 2017 come along), `run` carries them out until the
time is spent and puts the paper's values next to ours, and `claims` holds statements against intervals over seeds.
"""

from gnomon.reproducing.run import reproduce

__all__ = ["reproduce"]
