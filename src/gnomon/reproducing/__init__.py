"""Papers run again: their experiments within a budget of time, and which of their statements hold.

`experiments` reads a paper's experiments (those of Shokri et al., 2017 come along), `budget` decides which of them
fit, `claims` holds statements against intervals over seeds, and `run` puts the paper's values next to ours.
"""

from gnomon.reproducing.run import Wish, reproduce

__all__ = ["Wish", "reproduce"]
