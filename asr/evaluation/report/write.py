"""Writing of a report as one HTML file.

The page is rendered by Jinja, because it shows texts of unknown origin, and Jinja escapes every one of them; with the
standard library's templates, each would have to be escaped by hand. The page's content security policy names its one
script by its SHA-256 and allows no other script and no network.
"""

from __future__ import annotations

import base64
import hashlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jinja2

from asr.errors import EvaluationError
from asr.evaluation.comparison import compare_evaluations
from asr.evaluation.console import interval_note, lost_lines
from asr.evaluation.report.confusions import character_confusions, confusion_matrix, word_confusions
from asr.evaluation.report.filters import FILTERS
from asr.evaluation.report.groups import Group, by_length, by_speaker
from asr.evaluation.report.reliability import Reliability, reliability
from asr.evaluation.report.report import Report, System
from asr.evaluation.report.rows import rows
from asr.files import write_text

_PAGE = Path(__file__).parent / "page"
_LISTED = 15
"""Number of confusions shown of each kind."""


def write_report(path: str | Path, report: Report) -> None:
    """Write the page atomically; equal reports give equal bytes.

    Raises:
        EvaluationError: systems were scored on different references or share a name, or the file cannot be written.
    """
    page = render(report)
    try:
        write_text(path, page)
    except OSError as fault:
        raise EvaluationError(f"{path}: cannot be written: {fault.strerror}") from fault


def render(report: Report) -> str:
    """Render the page as HTML.

    Raises:
        EvaluationError: systems were scored on different references or share a name.
    """
    _refuse_misfits(report)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_PAGE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment.get_template("page.html.j2").render(_shown(report) | _parts())


def _shown(report: Report) -> dict[str, Any]:
    """Return the variables of the template, by name."""
    scores = report.system.evaluation.normalised
    characters = character_confusions(scores.utterances)
    return {
        "report": report,
        "rows": rows(report),
        "speakers": by_speaker(report),
        "lengths": by_length(report),
        "longest_bar": _longest_bar,
        "lost": list(lost_lines(report.system.evaluation)),
        "interval_note": interval_note(scores.words.interval),
        "scale": 1.05 * _largest(_ends(report)),
        "comparisons": {
            other.name: compare_evaluations(other.evaluation, report.system.evaluation, seed=report.seed)
            for other in report.others
        },
        "words": word_confusions(scores.utterances),
        "characters": characters,
        "matrix": confusion_matrix(characters),
        "listed": _LISTED,
        "reliabilities": [(s.name, found) for s in report.systems if (found := _reliability(s)) is not None],
    }


def _parts() -> dict[str, str]:
    """Return the style, the script, and the script's hash for the content security policy."""
    script = (_PAGE / "page.js").read_text(encoding="utf-8")
    return {
        "style": (_PAGE / "page.css").read_text(encoding="utf-8"),
        "script": script,
        "script_hash": base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii"),
    }


def _refuse_misfits(report: Report) -> None:
    names = [system.name for system in report.systems]
    if len(set(names)) < len(names):
        raise EvaluationError(f"systems shown beside each other need different names, got {', '.join(names)}")
    references = _references(report.system)
    for other in report.others:
        if _references(other) != references:
            raise EvaluationError(f"{other.name} was scored on other references than {report.system.name}")


def _references(system: System) -> list[tuple[str, str]]:
    return [(u.id, u.reference) for u in system.evaluation.normalised.utterances]


def _reliability(system: System) -> Reliability | None:
    scores = system.evaluation.normalised
    return reliability(scores.utterances, system.words, scores.normaliser)


def _longest_bar(groups: Iterable[Group]) -> float:
    return _largest(errors.rank for group in groups for errors in (group.words, *group.others))


def _ends(report: Report) -> Iterator[float]:
    """Yield the upper bounds of all intervals, or the rate where there is no interval."""
    for system in report.systems:
        for score in (system.evaluation.normalised.words, system.evaluation.normalised.characters):
            yield score.interval.high if score.interval else score.errors.rank


def _largest(rates: Iterable[float]) -> float:
    return max((rate for rate in rates if math.isfinite(rate)), default=0.0)
