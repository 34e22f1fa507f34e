"""What is audited, and who is who: the model, its recipe, the members, and the rows of the attacker.

`loading` reads what a plan names and makes the recipes, `plugins` finds what comes from other packages, `given_answers`
reads answers as what they are, `roles` draws who is a member and who is held by the attacker.
"""
