"""How values are spelt: shares, intervals, durations, and text that came from outside."""

from __future__ import annotations

import math
import re
import zlib
from datetime import UTC, datetime

from gnomon.core.documents.record import Estimate

_ARXIV = re.compile(r"(?:arxiv[:\s.]*|arxiv\.org/abs/)(\d{4}\.\d{4,5})", re.IGNORECASE)
_DOI = re.compile(r"\b(10\.\d{4,9}/[^\s,;\"<>]+)")


def share(value: float) -> str:
    """A share in [0, 1] as a percentage, with the digits that it deserves.

    >>> [share(value) for value in (1.0, 0.99999, 0.4523, 0.0123, 0.000312, 0.000001, 0.0)]
    ['100%', '>99.9%', '45.2%', '1.2%', '0.031%', '<0.001%', '0%']
    """
    percent = 100 * value
    if percent < 0:
        return "−" + share(-value)
    if percent in (0.0, 100.0):
        return f"{percent:.0f}%"
    if 99.95 <= percent < 100:
        return ">99.9%"
    if percent < 0.001:
        return "<0.001%"
    decimals = 1 if percent >= 1 else 1 - math.floor(math.log10(percent))
    return f"{percent:.{decimals}f}%"


def points(value: float) -> str:
    """A difference of two shares, in percentage points to one decimal.

    >>> points(0.1234), points(-0.5)
    ('12.3', '−50.0')
    """
    return f"{100 * value:.1f}".replace("-", "−")


def rate(value: float) -> str:
    """A rate that somebody chose, such as a false-positive rate: no digit more than it has.

    >>> [rate(value) for value in (0.1, 0.01, 0.001, 0.0001, 0.025)]
    ['10%', '1%', '0.1%', '0.01%', '2.5%']
    """
    return f"{100 * value:.6g}%"


def tpr_at(fpr: float | None) -> str:
    """What the true-positive rate at a false-positive rate is called; without one it is the AUC.

    >>> tpr_at(0.01).replace(chr(160), " "), tpr_at(None)
    ('TPR at 1% FPR', 'AUC')
    """
    return "AUC" if fpr is None else f"TPR at {rate(fpr)}\N{NO-BREAK SPACE}FPR"


def one_in(value: float) -> str:
    """A rate above 0 in plain words, rounded to one in so many.

    >>> [one_in(value) for value in (0.1, 0.001, 0.0001)]
    ['1 in 10', '1 in 1,000', '1 in 10,000']
    """
    return f"1 in {count(round(1 / value))}"


def number(value: float) -> str:
    """A dimensionless value to three decimals.

    >>> number(0.93712), number(-0.0123)
    ('0.937', '−0.012')
    """
    return f"{value:.3f}".replace("-", "−")


def shares(estimate: Estimate) -> str:
    """The interval of a share.

    >>> shares(Estimate(value=0.45, low=0.412, high=0.488))
    '41.2–48.8%'
    """
    low, high = share(estimate.low), share(estimate.high)
    return f"{low.removesuffix('%')}–{high}" if estimate.low >= 0 else f"{low} to {high}"


def numbers(estimate: Estimate) -> str:
    """The interval of a dimensionless value.

    >>> numbers(Estimate(value=0.0, low=-0.01, high=0.012))
    '−0.010 to 0.012'
    """
    low, high = number(estimate.low), number(estimate.high)
    return f"{low}–{high}" if estimate.low >= 0 else f"{low} to {high}"


def score(value: float) -> str:
    """An attack's score: any scale, four significant digits.

    >>> score(4.0), score(-12.3456), score(1e-9), score(0.0)
    ('4.000', '−12.35', '1.000e−09', '0')
    """
    if value == 0:
        return "0"
    return f"{value:#.4g}".removesuffix(".").replace("-", "−")


def count(value: int) -> str:
    """A count with its thousands set apart.

    >>> count(187300)
    '187,300'
    """
    return f"{value:,}"


def counted(value: int, one: str, many: str | None = None) -> str:
    """A count and its noun.

    >>> counted(1, "class", "classes"), counted(1600, "row")
    ('1 class', '1,600 rows')
    """
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """A duration that a person can read.

    >>> [duration(value) for value in (0.0421, 7.31, 73.2, 3725)]
    ['0.04 s', '7.3 s', '1 min 13 s', '1 h 2 min']
    """
    if seconds < 1:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def moment(text: str) -> str:
    """An ISO 8601 moment, in UTC, to the minute; what cannot be read is given back as it came.

    >>> moment("2026-03-04T10:20:30+00:00"), moment("yesterday")
    ('2026-03-04 10:20 UTC', 'yesterday')
    """
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return clean(text)
    parsed = parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    return f"{parsed:%Y-%m-%d %H:%M} UTC"


def heading(text: str) -> str:
    """A finding's title as a heading: capitalised where it begins with a word, as it is where with a name or a number.

    >>> heading("only members have class 3"), heading("model.py: the file was edited"), heading("3 rows")
    ('Only members have class 3', 'model.py: the file was edited', '3 rows')
    """
    return f"{text[0].upper()}{text[1:]}" if re.match(r"[a-z]+[ ,:]", text) else text


def clean(text: str) -> str:
    r"""Text from outside on one line, without control characters (escape sequences, direction overrides).

    >>> clean("a\x1b[31m\nb")
    'a�[31m b'
    """
    kept = "\N{NO-BREAK SPACE}"
    return "".join(
        c if c.isprintable() or c == kept else " " if c.isspace() else "\N{REPLACEMENT CHARACTER}" for c in text
    )


def anchor(text: str) -> str:
    """A key that may come from a document, as a name in addresses and of files: it can't end an attribute or a folder.

    >>> anchor("epochs-auc"), anchor('../a" onload="x')
    ('epochs-auc', '-a-onload-x-34081393')
    """
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).lstrip(".")[:80]
    return name if name == text else f"{name}-{zlib.crc32(text.encode('utf-8', 'replace')):08x}"


def clean_lines(text: str) -> str:
    r"""Like `clean`, but lines stay lines (a traceback).

    >>> clean_lines("a\n\x07b")
    'a\n�b'
    """
    return "\n".join(clean(line) for line in text.split("\n"))


def paper_link(paper: str) -> str:
    """The address of a paper that is named by its arXiv number or its DOI; empty if by neither.

    >>> paper_link("Shokri et al. 2017 (arXiv 1610.05820)"), paper_link("in house")
    ('https://arxiv.org/abs/1610.05820', '')
    """
    if found := _ARXIV.search(paper):
        return f"https://arxiv.org/abs/{found[1]}"
    if found := _DOI.search(paper):
        return f"https://doi.org/{found[1].rstrip('.)')}"
    return ""
