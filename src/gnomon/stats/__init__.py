"""Numbers from arrays: signals of leakage, ROC curves, intervals and calibration.

An attack gives every audited record a score; these functions say what the scores show and how surely: area under the
ROC curve, true-positive rate at a low false-positive rate (refused where the sample can't resolve it), rates at a
threshold, each with an interval whose coverage is simulated in the tests. Arrays in, numbers out; no nouns, no files.
"""
