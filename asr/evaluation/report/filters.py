"""Numbers and symbols as the page shows them."""

from __future__ import annotations

import math

from asr.evaluation.report.confusions import SPACE


def percent(rate: float, digits: int = 1) -> str:
    """A fraction as people read it, without the sign.

    >>> percent(0.0504, 2), percent(float("inf")), percent(float("nan"))
    ('5.04', '∞', '–')
    """
    if math.isnan(rate):
        return "–"
    return f"{100 * rate:.{digits}f}" if math.isfinite(rate) else "∞"


def points(difference: float) -> str:
    """A difference of rates, in points.

    >>> points(0.0123), points(-0.0123), points(float("nan"))
    ('+1.23', '−1.23', '–')
    """
    if math.isnan(difference):
        return "–"
    return f"{100 * difference:+.2f}".replace("-", "−") if math.isfinite(difference) else "∞"


def p_value(p: float) -> str:
    """As papers give it.

    >>> p_value(0.0312), p_value(1e-9)
    ('0.031', '< 0.001')
    """
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def share(part: float, whole: float) -> str:
    """Per cent of a drawing's width, for CSS.

    >>> share(1, 3), share(2, 0), share(float("inf"), 1), share(float("nan"), 1)
    ('33.33%', '0%', '100%', '0%')
    """
    if not whole or math.isnan(part):
        return "0%"
    return f"{100 * min(part / whole, 1.0):.4g}%"


def number(value: float) -> str:
    """What JavaScript's Number() reads.

    >>> number(0.25), number(float("inf")), number(float("nan"))
    ('0.25', 'Infinity', '-1')
    """
    if math.isnan(value):
        return "-1"  # sorts before 0
    return repr(float(value)) if math.isfinite(value) else "Infinity"


def symbol(text: str) -> str:
    """A word or character that may be none, or a space.

    >>> symbol(""), symbol(SPACE), symbol("A")
    ('∅', 'space', 'A')
    """
    return {"": "∅", SPACE: "space"}.get(text, text)


FILTERS = {function.__name__: function for function in (percent, points, p_value, share, number, symbol)}
"""By the names that the template calls them by."""
