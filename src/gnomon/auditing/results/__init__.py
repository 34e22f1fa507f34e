"""From scores to what a record says: figures with intervals, for everybody, for groups, for each person.

`scoring` runs the attacks and lets shadow models play the target; `figures` measures each attack, also by person;
`slices` and `risk` say who is exposed; `attackers` and `robustness` compare attackers, shadow models and trainings;
`threat_model` says what the attacker was given.
"""
