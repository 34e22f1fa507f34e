"""What several attacks use and is no attack: shadow rows, what is learned from them, how queries are spent.

`shadow_rows` and `boosting` learn from shadow models, `leave_two_out` rehearses them record by record; `shadow_rows`
makes two forms of one class, too (online and offline). `queries` spends a budget and finds where searches start.
"""
