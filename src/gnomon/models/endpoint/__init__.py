"""A model behind an endpoint: rows go out over HTTP, each record once, and answers come back as log-probabilities.

`model` makes batches for the service that a plan names, and keeps what came in the `ledger`;
`transport` sends, waits and tries again; `rows` and `answers` turn rows into JSON and JSON into probabilities. What is
said in between is a dialect: one module each in `dialects`. Secrets come from the environment and are hidden in every
message (`headers`).
"""
