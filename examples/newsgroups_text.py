"""The recipe of examples/newsgroups-text.toml: words weighted by how rare they are, then logistic regression."""

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline


def make(penalty: float = 100.0) -> Pipeline:
    """A pipeline on a column of text; the vectoriser is fitted again for every shadow model."""
    return make_pipeline(TfidfVectorizer(sublinear_tf=True, min_df=2), LogisticRegression(C=penalty, max_iter=300))
