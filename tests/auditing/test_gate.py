import pytest
from tests.report.sample_records import leaking
from tests.report.test_canaries import shown

from gnomon.auditing.gate import gate, parse_limit
from gnomon.core.errors import UsageError
from gnomon.core.record import AttackResult, Estimate, Record, TprAtFpr


def record(**changes: object) -> Record:
    attack = AttackResult(
        name="lira",
        title="LiRA",
        paper="Carlini et al. 2022",
        status="ok",
        auc=Estimate(value=0.7, low=0.65, high=0.75),
        tpr_at_fpr=[TprAtFpr(fpr=0.01, tpr=Estimate(value=0.2, low=0.15, high=0.25), false_positives=3)],
    )
    return leaking().model_copy(update={"attacks": [attack], **changes})


@pytest.mark.parametrize(
    ("limit", "code"),
    [
        ("auc<=0.7", 0),
        ("auc.value<=0.69", 1),
        ("auc<=0.64", 1),
        ("auc.high<=0.7", 1),
        ("lira.auc <= 0.7", 0),
        ("tpr@0.01<=0.1", 1),
        ("tpr@0.01.high<=0.3", 0),
        ("tpr@1e-2<=0.1", 1),
    ],
)
def test_the_exit_code_follows_the_limit(limit: str, code: int) -> None:
    assert gate(record(), [parse_limit(limit)]).code == code


def test_a_failed_attack_closes_the_gate_with_three() -> None:
    broken = AttackResult(name="x", title="X", paper="", status="failed", reason="boom")
    result = record(attacks=[*record().attacks, broken])
    assert gate(result, [parse_limit("auc<=0.9")]).code == 3
    assert gate(result, [parse_limit("auc<=0.9")], allow_failed=True).code == 0
    assert gate(result, [parse_limit("auc<=0.6")]).code == 1


def test_an_invalid_verdict_never_passes() -> None:
    verdict = record().verdict.model_copy(update={"level": "invalid"})
    assert gate(record(verdict=verdict), [parse_limit("auc<=0.9")]).code == 1


@pytest.mark.parametrize(
    "limit", ["auc", "auc<0.5", "acu<=0.5", "tpr<=x", "tpr<=0.1", "tpr@0.01.mid<=1", "lira.shadow<=1"]
)
def test_a_limit_that_means_nothing_is_refused(limit: str) -> None:
    with pytest.raises(UsageError, match=r"expected|no number"):
        parse_limit(limit)


@pytest.mark.parametrize("limit", ["tpr@0.001<=0.1", "rmia.auc<=0.5", "lira.accuracy<=0.5"])
def test_a_limit_that_checks_nothing_must_not_look_open(limit: str) -> None:
    with pytest.raises(UsageError, match=r"has no attack|has that figure"):
        gate(record(), [parse_limit(limit)])


@pytest.mark.parametrize(("limit", "code"), [("epsilon<=2", 0), ("epsilon<=1.9", 1), ("epsilon.low<=1.9", 1)])
def test_the_bound_of_the_canaries_can_close_the_gate(limit: str, code: int) -> None:
    assert gate(shown(), [parse_limit(limit)]).code == code


@pytest.mark.parametrize(
    ("limit", "words"), [("lira.epsilon<=1", "for no single attack"), ("epsilon.high<=1", "one lower bound")]
)
def test_epsilon_has_no_attack_and_no_upper_end(limit: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_limit(limit)


def test_a_limit_on_epsilon_that_nothing_can_exceed_is_refused() -> None:
    with pytest.raises(UsageError, match=r"put \[canaries\] into its plan"):
        gate(record(), [parse_limit("epsilon<=1")])
    with pytest.raises(UsageError, match=r"show 4\.321 at most, so the gate could never close"):
        gate(shown(), [parse_limit("epsilon<=5")])
