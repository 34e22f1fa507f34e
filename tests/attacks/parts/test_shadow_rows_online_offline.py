"""One class, two forms: which shadow models either form may read."""

import numpy as np

from gnomon.attacks import make_attack
from gnomon.core.protocols import options_of
from gnomon.stats.signals import scaled_logit
from gnomon.testing import gaussian_world


def test_the_two_forms_of_an_attack_are_one_class_with_a_name_each() -> None:
    online, offline = make_attack("lira", {"variance": "record"}), make_attack("lira_offline")
    assert (online.name, online.title, online.needs) == ("lira", "LiRA, online", {"answers", "shadows"})
    assert (offline.name, offline.title, offline.needs) == ("lira_offline", "LiRA, offline", {"answers", "shadows_out"})
    assert options_of(online) == {"variance": "record"}
    assert type(online) is type(offline)


def test_the_offline_form_never_reads_answers_on_rows_that_a_shadow_was_trained_on() -> None:
    evidence = gaussian_world(np.random.default_rng(0), n=60, m=4, view="auditor").evidence
    for name in ("lira", "bavaria", "rmia"):
        online, offline = make_attack(name), make_attack(f"{name}_offline")
        seen = online.shadows_of(evidence).signal(scaled_logit)
        hidden = offline.shadows_of(evidence).signal(scaled_logit)
        assert not np.isnan(seen).any()
        np.testing.assert_array_equal(np.isnan(hidden), evidence.require("shadows").member)
