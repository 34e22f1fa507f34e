"""A section of a model card (Mitchell et al. 2019; Hugging Face's format): what an audit found, for a model's users.

It names no record. What it says of the model is what the record says; a card that shows a value shows its interval.
"""

from __future__ import annotations

import json

from gnomon.core.documents.record import AttackResult, Estimate, Record
from gnomon.report.audit.attacks import headliner
from gnomon.report.formatting import clean, count, moment, number, rate, share, shares

MODEL_INDEX = """
To show the values on the model's page, put them into the card's metadata:

```yaml
model-index:
  - name: {name}
    results:
      - task:
          type: other
          name: membership inference
        dataset:
          type: other
          name: {data}
        metrics:
{metrics}
```
"""


def model_card(record: Record) -> str:
    """The section as Markdown, with metadata to be put into a card's head.

    Args:
        record: of an audit.
    """
    data, verdict, attack = record.data, record.verdict, headliner(record)
    lines = [
        "## Privacy: membership inference",
        "",
        f"**{_plain(verdict.headline)}**",
        "",
        *(f"{_plain(sentence)}" for sentence in verdict.sentences),
        "",
        "| | |",
        "|---|---|",
        f"| Audited | {count(data.members)} members, {count(data.nonmembers)} non-members of {_plain(data.name)} |",
        f"| Attacks that ran | {sum(a.status == 'ok' for a in record.attacks)} of {len(record.attacks)} |",
        f"| Shadow models | {count(record.shadows.count) if record.shadows else 'none'} |",
        f"| The model reveals | {_plain(record.threat_model.reveals)} |",
    ]
    lines += [] if attack is None else _values(attack)
    labels = ", ".join(m.label for m in record.mitigations)
    lines += [f"| Mitigations | {_plain(labels)} |"] if labels else []
    lines += [
        f"| Made | {moment(record.provenance.created)} with gnomon {record.provenance.gnomon}, "
        f"data {data.fingerprint[:12]} |",
        "",
        "Every value is what these attacks found: a lower bound on what a better attacker may find. Not tested:",
        "",
        *(f"- {_plain(line)}" for line in record.not_tried),
    ]
    return "\n".join(lines) + "\n" + _index(record, attack)


def _values(attack: AttackResult) -> list[str]:
    rows = [] if attack.auc is None else [("AUC", number(attack.auc.value), _numbers(attack.auc))]
    rows += [
        (f"TPR at {rate(p.fpr)} FPR", share(p.tpr.value), shares(p.tpr)) for p in attack.tpr_at_fpr if p.tpr is not None
    ]
    return [f"| {name} of {_plain(attack.title)} | {value} ({interval}) |" for name, value, interval in rows]


def _numbers(estimate: Estimate) -> str:
    return f"{number(estimate.low)} to {number(estimate.high)}"


def _index(record: Record, attack: AttackResult | None) -> str:
    """The metadata; nothing where there is no value."""
    if attack is None:
        return ""
    found = [("auc", "AUC", attack.auc)]
    found += [(f"tpr_at_{p.fpr:g}_fpr", f"TPR at {rate(p.fpr)} FPR", p.tpr) for p in attack.tpr_at_fpr]
    metrics = [
        f"          - type: {kind}\n            name: {_quoted(f'{name} of {attack.title}')}\n"
        f"            value: {estimate.value:.4g}"
        for kind, name, estimate in found
        if estimate is not None
    ]
    if not metrics:
        return ""
    name, data = _quoted(record.name), _quoted(record.data.name)
    return MODEL_INDEX.format(name=name, data=data, metrics="\n".join(metrics))


def _quoted(text: str) -> str:
    """Text in YAML's quotes, in which nothing is HTML."""
    return json.dumps(clean(text)).replace("<", "\\u003c").replace(">", "\\u003e")


def _plain(text: str) -> str:
    """Text in which nothing is Markdown or HTML."""
    escaped = "".join(f"\\{c}" if c in "\\|`*_[]#" else c for c in clean(text))
    return escaped.replace("<", "&lt;").replace(">", "&gt;").replace("\n", " ")
