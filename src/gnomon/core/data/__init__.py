"""What a record is: rows and who is who among them, what makes a row legal, how rows are held and changed.

`dataset` holds rows, labels, ids and roles; `feature_space` says for every feature which values are legal, and
`features` infers that from rows; `layouts` keeps arrays and frames apart; `augmentations` makes changed copies of a
record.
"""
