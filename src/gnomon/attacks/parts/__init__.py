"""What several attacks use and is no attack: shadow rows, what is learned from them, how queries are spent.

`shadow_rows` and `boosting` learn from shadow models, `leave_two_out` rehearses them record by record.
`online_offline` makes two forms of one class, `loss_trajectory` reads checkpoints, `queries` spends a budget, and
`other_label` finds where a boundary search starts.
"""
