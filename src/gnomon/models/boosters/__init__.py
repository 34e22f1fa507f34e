"""Boosted trees of other libraries, read from their own files: XGBoost, LightGBM, CatBoost.

A file holds trees and no code. Its model becomes an estimator like scikit-learn's, so that it answers, and is refitted
on other rows, as any other estimator; the recipe is read back from the file.
"""
