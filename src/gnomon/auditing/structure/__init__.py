"""Looks into a model: what it holds of its training rows, without any attack.

Each function asks what a part of the model has (a tree, support vectors, a
vocabulary), never what class it is. The measures are those that output checkers of research environments ask for, as
SACRO-ML's structural attack takes them: stored rows, residual degrees of freedom, small and pure leaves, k-anonymity of
answers, risky parameters.
"""
