"""Words and categories that a model keeps."""

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from tests.auditing.structure.test_examine import look, seen

from gnomon.auditing.structure.contents import FittedPart, rare_categories, rare_words


def test_rare_words_and_categories_stand_in_the_model() -> None:
    texts = np.array(["flu fever", "flu cough", "flu Queequeg"] * 4 + ["flu Ahab"], dtype=object)
    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, np.arange(13) % 2)
    facts = look(model, texts, word_rows=2)
    assert {v.code: v.value for v in facts.values}["rare-words"] == 1
    assert "ahab" not in facts.model_dump_json().lower()  # a report that names it would disclose it again
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"town": ["A"] * 6 + ["B"] * 6 + ["Z"], "age": range(13)})
    coded = make_pipeline(make_column_transformer((OneHotEncoder(), ["town"]), remainder="passthrough"), GaussianNB())
    coded.fit(frame, np.arange(13) % 2)
    assert seen(coded, frame, word_rows=5)[0]["rare-categories"] == 1


def test_what_is_not_known_is_not_counted() -> None:
    words = CountVectorizer().fit(["flu", "flu Ahab"])
    assert rare_words(FittedPart(words, None), 2) is None
    assert rare_words(FittedPart(words, [1, 2]), 2) is None, "rows of another kind"
    assert rare_words(FittedPart(object(), ["flu"]), 2) is None
    kept = OneHotEncoder().fit(pd.DataFrame({"town": ["Nantucket", "Bedford", "Bedford"], "age": [1, 2, 3]}))
    frame = pd.DataFrame({"town": ["Nantucket", "Bedford", "Bedford"], "age": [1, 2, 3]})
    assert rare_categories(FittedPart(kept, frame), 2) == 1, "a number is no name"
    assert rare_categories(FittedPart(kept, frame[["town"]]), 2) is None
    assert rare_categories(FittedPart(kept, None), 2) is None
