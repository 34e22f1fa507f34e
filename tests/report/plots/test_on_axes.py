"""ROC curves on axes of the user's own."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from tests.report import sample_records

from gnomon.core.errors import UsageError
from gnomon.report.plots.on_axes import plot_roc


@pytest.mark.parametrize("log", [True, False])
def test_curves_are_the_record_s_and_the_headline_comes_first(log: bool) -> None:
    record = sample_records.leaking()
    axes = Figure().subplots()
    assert plot_roc(record, axes, log=log) is axes
    guess, first, *rest = axes.get_lines()
    assert len(rest) <= 3
    head = next(a for a in record.attacks if a.name == record.verdict.attack)
    assert str(first.get_label()).startswith(head.title)
    assert head.roc is not None
    x, y = np.asarray(first.get_data())
    kept = np.asarray(head.roc.fpr) >= axes.get_xlim()[0]
    np.testing.assert_allclose(x, np.asarray(head.roc.fpr)[kept])
    np.testing.assert_allclose(y, np.asarray(head.roc.tpr)[kept])
    assert axes.get_xscale() == ("log" if log else "linear")
    assert guess.get_label() == "guessing"


def test_named_attacks_and_no_others_are_drawn() -> None:
    record = sample_records.leaking()
    name = [a.name for a in record.attacks if a.roc is not None][-1]
    axes = plot_roc(record, Figure().subplots(), attacks=[name])
    assert len(axes.get_lines()) == 2
    with pytest.raises(UsageError, match='no attack "lirra" \\(did you mean "lira"'):
        plot_roc(record, Figure().subplots(), attacks=["lirra"])


def test_without_curves_nothing_is_drawn() -> None:
    with pytest.raises(UsageError, match="no attack of this record has a ROC curve"):
        plot_roc(sample_records.bare(), Figure().subplots())
