"""From scores to what a record says: figures with intervals, for everybody, for groups, for each person.

`scoring` runs the attacks and `rehearsal` lets shadow models play the target. `figures` measures each attack;
`groups`, `slices`, `risk` and `vulnerability` say who is exposed; `attackers`, `overlap` and `shadow_curve` compare
attackers; `threat_model` says what the attacker was given.
"""
