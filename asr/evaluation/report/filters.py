"""Formats of numbers and symbols on the page, as filters of the template."""

from __future__ import annotations

import math

from asr.evaluation.report.confusions import SPACE


def percent(rate: float, digits: int = 1) -> str:
    """Format a fraction in per cent, without the % sign.

    >>> percent(0.0504, 2), percent(float("inf")), percent(float("nan"))
    ('5.04', '∞', '–')
    """
    if math.isnan(rate):
        return "–"
    return f"{100 * rate:.{digits}f}" if math.isfinite(rate) else "∞"


def points(difference: float) -> str:
    """Format a difference of rates in percentage points.

    >>> points(0.0123), points(-0.0123), points(float("nan"))
    ('+1.23', '−1.23', '–')
    """
    if math.isnan(difference):
        return "–"
    return f"{100 * difference:+.2f}".replace("-", "−") if math.isfinite(difference) else "∞"


def p_value(p: float) -> str:
    """Format a p-value as papers do.

    >>> p_value(0.0312), p_value(1e-9)
    ('0.031', '< 0.001')
    """
    return f"{p:.3f}" if p >= 0.001 else "< 0.001"


def share(part: float, whole: float) -> str:
    """Format ``part`` as a percentage of ``whole`` for CSS, at most 100 %.

    >>> share(1, 3), share(2, 0), share(float("inf"), 1), share(float("nan"), 1)
    ('33.33%', '0%', '100%', '0%')
    """
    if not whole or math.isnan(part):
        return "0%"
    return f"{100 * min(part / whole, 1.0):.4g}%"


def number(value: float) -> str:
    """Format a number so that JavaScript's Number() reads it.

    >>> number(0.25), number(float("inf")), number(float("nan"))
    ('0.25', 'Infinity', '-1')
    """
    if math.isnan(value):
        return "-1"  # sorts before 0
    return repr(float(value)) if math.isfinite(value) else "Infinity"


def symbol(text: str) -> str:
    """Show a word or character, with "" as ∅ and ``SPACE`` as space.

    >>> symbol(""), symbol(SPACE), symbol("A")
    ('∅', 'space', 'A')
    """
    return {"": "∅", SPACE: "space"}.get(text, text)


FILTERS = {function.__name__: function for function in (percent, points, p_value, share, number, symbol)}
"""The filters by their names in the template."""
