"""What the attacker sees: the answers of the target and of its shadows, within what the plan permits.

`answers` trains and queries all models, `augmented` queries changed copies of records too, `mitigations` puts the
plan's mitigations in their place, `permissions` says which attacks may query or look inside, `assemble` puts it all
together.
"""
