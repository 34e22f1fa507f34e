"""Numbers from arrays: signals of leakage, ROC curves, intervals and calibration.

An attack gives every audited record a score; these functions measure what the scores show, with intervals: area under
the ROC curve, true-positive rate at a low false-positive rate (refused where the sample can't resolve it), rates at a
threshold, each with an interval whose coverage is simulated in the tests. Arrays in, numbers out; no nouns, no files.

- `samples`, `signals`: what counts as scores, and what an answer says of its label
- `roc`, `curves`: the curve, the area under it, and what a report draws
- `low_fpr`: true-positive rate at a low false-positive rate
- `rates`, `classes`: recall, FPR, accuracy, precision of one threshold, also class by class
- `calibration`: where a threshold comes from
- `intervals`, `clusters`: bounds for shares, over repeated targets, and for records in groups (persons, households)
- `comparison`: two scores on the same rows
- `false_discovery`, `risk`, `risk_check`: who can be accused, and the probability of one record
- `laws`, `permutation`, `privacy`: shadow models' values, tests, differential privacy
"""
