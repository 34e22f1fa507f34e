"""The nouns of membership inference, their checks, and nothing that computes.

Membership inference asks of a record and a model: was the record in the training set? The nouns here say that
question precisely: a `Dataset` with `Roles` (who was a member), a `Model` that answers and a `Trainer` that makes
models, the `Evidence` that an attacker saw, an `Attack` that scores it, and the two border documents: the `Plan` that
goes in and the `Record` that comes out. Everything else in gnomon imports from here; this package imports numpy and
pydantic only.
"""

VERSION = "0.1.0"
