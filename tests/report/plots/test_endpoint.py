"""What queries bring: attacks by what they spend, with the best of so many as a line."""

from __future__ import annotations

from matplotlib.figure import Figure
from tests.report.sample_records import attack, leaking

from gnomon.core.documents.record_parts import EndpointFacts
from gnomon.report.audit.endpoint import endpoint
from gnomon.report.plots.endpoint import leakage_by_queries
from gnomon.report.svg import drawn


def test_queries_are_those_of_the_records_and_further_ones() -> None:
    figure = leakage_by_queries([attack("lira", queries=3000), attack("loss")], 200)
    assert figure is not None
    assert figure.text == "Loss: 200 queries, AUC 0.905; Likelihood ratio, online (LiRA): 3,200 queries, AUC 0.967."
    shown = drawn(figure)
    assert ">queries (logarithmic)<" in shown
    assert ">3,200<" in shown
    assert "math" not in shown  # a formula of matplotlib's is no text in an SVG


def test_attacks_that_spend_the_same_stand_above_each_other_and_fewer_queries_are_a_guess() -> None:
    figure = leakage_by_queries([attack("lira"), attack("loss")], 200)
    assert figure is not None
    axes = Figure().add_subplot()
    figure.paint(axes)
    (line,) = [one for one in axes.get_lines() if len(one.get_xdata()) == 4]
    assert line.get_xydata().round(3).tolist() == [[66.667, 0.5], [200, 0.967], [200, 0.967], [600, 0.967]]
    assert [text.get_text() for text in axes.texts] == ["Likelihood ratio, online (LiRA)"]
    assert leakage_by_queries([], 200) is None


def test_the_section_of_an_endpoint_holds_it() -> None:
    facts = EndpointFacts(
        address="http://h",
        protocol="tf",
        understood=[],
        records=400,
        queries=3400,
        requests=30,
        retries=0,
        bytes_sent=1000,
        bytes_received=1000,
        seconds=3.0,
        kept=0,
    )
    record = leaking().model_copy(update={"endpoint": facts, "attacks": [attack("lira", queries=3000), attack("loss")]})
    (figure,) = endpoint(record).figures
    assert f"Loss: {record.data.members + record.data.nonmembers:,} queries" in figure.text
