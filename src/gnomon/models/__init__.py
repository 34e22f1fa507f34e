"""Models that answer and trainers that make them: callables, files of answers, scikit-learn, torch.

Whatever can be put as `x -> (n, c)` log-probabilities can be audited. A trainer is a recipe that refits the same kind
of model on other rows, which is how shadow models come to be; torch recipes train many networks at once, stacked.
"""
