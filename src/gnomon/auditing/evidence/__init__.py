"""What the attacker sees: the answers of the target and of its shadows, within what the plan permits.

`answers` trains and queries all models, `access` says which attacks may query or look inside and queries changed copies
of records, `mitigations` puts the plan's mitigations in their place, `assemble` puts it all together.
"""
