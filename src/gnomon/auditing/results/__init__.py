"""From scores to what a record says: figures with intervals, for everybody, for groups, for each person.

`scoring` runs the attacks and lets shadow models play the target; `figures` measures each attack, also by person;
`variation` and `risk` say who is exposed, and whether another training would do the same; `attackers` compares
attackers and numbers of shadow models; `threat_model` says what the attacker was given.
"""
