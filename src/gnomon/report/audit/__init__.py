"""The report of one audit, section by section.

`page` puts it together: the verdict and the facts, then `attacks` (every value, curve and exposed record), `attackers`
(what more knowledge or more shadow models would gain), `people` (persons, slices, risk, accusations) and `canaries`.
"""
