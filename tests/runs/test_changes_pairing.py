"""Rows of two audits that are compared one by one."""

from dataclasses import replace

import numpy as np
from tests.runs.test_compare import N, outcome

from gnomon.auditing.outcome import Outcome
from gnomon.runs.compare import compare


def test_pairs_find_what_intervals_apart_do_not() -> None:
    paired = compare(outcome(1.0, 0, base=9), outcome(1.25, 1, base=9))
    apart = compare(outcome(1.0, 0, base=9), outcome(1.25, 1, base=9, ids=range(N, 2 * N)))
    assert (paired.change, apart.change) == ("worse", "within noise")


def test_rows_are_paired_by_id_whatever_their_order() -> None:
    first, second = outcome(1.0, 0, base=9), outcome(1.3, 1, base=9)
    order = np.random.default_rng(0).permutation(N)
    shuffled = Outcome(
        second.record,
        {"loss": second.scores["loss"][order]},
        [second.ids[i] for i in order],
        [second.member[i] for i in order],
    )
    assert compare(first, shuffled) == compare(first, second)


def test_rows_that_both_audited_are_paired_where_they_are_most() -> None:
    found = compare(outcome(1.0, 0), outcome(1.0, 1, ids=[*range(N - 50), *range(2 * N, 2 * N + 50)]))
    assert found.pairing == "common rows"
    assert (found.paired_members, found.paired_nonmembers) == (N // 2, N // 2 - 50)


def test_numbers_of_rows_are_no_ids_of_rows_of_other_content() -> None:
    """Members and non-members that changed sides between two files were "the same records in the same roles"."""
    first, second = outcome(1.0, 0), outcome(1.0, 1)
    data = second.record.data.model_copy(update={"fingerprint": "of other rows"})
    other = replace(second, record=second.record.model_copy(update={"data": data}))
    assert compare(first, second).pairing == "same rows"
    assert compare(first, other).pairing == "none"
    assert "too few records that are known to be the same" in " ".join(compare(first, other).sentences)
    named = [replace(each, ids=[f"person-{i}" for i in each.ids]) for each in (first, other)]
    assert compare(*named).pairing == "same rows"
