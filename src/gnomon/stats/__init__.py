"""Numbers from arrays: signals of leakage, ROC curves, intervals and calibration.

An attack gives every audited record a score; these functions say what the scores show and how surely: area under the
ROC curve, true-positive rate at a low false-positive rate (refused where the sample can't resolve it), rates at a
threshold, each with an interval whose coverage is simulated in the tests. Arrays in, numbers out; no nouns, no files.

- `samples`: what counts as scores, and the split into members and non-members
- `roc`: the curve and the area under it
- `low_fpr`: true-positive rate at a low false-positive rate
- `rates`: recall, FPR, accuracy, precision of one threshold
- `calibration`: where a threshold comes from
- `classes`: the same class by class
- `curves`: what a report draws
- `intervals`: bounds for shares
- `repeats`: the spread over repeated targets
- `comparison`: two scores on the same rows
- `clusters`: what records in groups (persons, households) are worth
- `accusations`: who can be accused at a wanted false-discovery rate
- `mechanisms`: what differential privacy promises about rates
- `epsilon`, `one_run`: lower bounds on epsilon, from repeated trials and from one run with canaries
- `credible`: a Bayesian interval for epsilon
"""
