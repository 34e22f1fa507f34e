"""What would make a verdict false, found before it is spoken.

`preflight` runs the checks; `near_duplicates` finds non-members that are nearly members, `shift` tells members from
non-members without any model, from `columns`; `labels` finds answers that do not belong to the labels, and `answers`
holds models against what is said of them.
"""
