"""A recipe's results: results.json, and the table in its README that is rendered from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asr.errors import ConfigError
from asr.evaluation import Evaluation
from asr.files import write_atomically
from asr.recipe.plan import Peer, Plan

BEGIN, END = "<!-- results: rendered from results.json by `asr recipe` -->", "<!-- end of results -->"


def summary_of(evaluation: Evaluation) -> dict[str, Any]:
    """WER and CER with counts and interval, without the utterances."""
    whole = evaluation.to_json(0)
    return {key: whole[key] for key in ("utterances", "normaliser", "wer", "cer")}


def write_readme_table(plan: Plan, results: Mapping[str, Any]) -> None:
    """Put the rendered table between the markers of the recipe's README.

    Raises:
        ConfigError: the README has no markers.
    """
    path = plan.home / "README.md"
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ConfigError(f"{path} needs the lines {BEGIN!r} and {END!r} around its table")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    with write_atomically(path) as temporary:
        temporary.write_text(f"{before}{BEGIN}\n{render(plan, results)}{END}{after}", encoding="utf-8")


def render(plan: Plan, results: Mapping[str, Any]) -> str:
    """The Markdown between the markers."""
    lines = ["", "| system | WER | CER | source |", "|---|---|---|---|"]
    for name, system in results["systems"].items():
        lines.append(f"| **{name}** | {_rate(system['wer'])} | {_rate(system['cer'])} | `{results['command']}` |")
    lines += [_peer(peer) for peer in plan.peers]
    if results["by_speaker"]:
        lines += [
            "",
            f"By speaker, {results['main']}:",
            "",
            "| speaker | utterances | WER | CER |",
            "|---|---|---|---|",
        ]
        rows = sorted(results["by_speaker"], key=lambda row: row["speaker"])
        lines += [
            f"| {r['speaker']} | {r['utterances']} | {_per_cent(r['wer']['rate'])} | {_per_cent(r['cer']['rate'])} |"
            for r in rows
        ]
    main = results["systems"][results["main"]]
    counts = ", ".join(
        f"{main['wer'][key]} {word}"
        for key, word in [
            ("substitutions", "substituted"),
            ("deletions", "deleted"),
            ("insertions", "inserted"),
            ("reference_length", "in all"),
        ]
    )
    lines += [
        "",
        f"Words: {counts}. Intervals: 95 %, bootstrap over {main['wer']['interval']['over']}. "
        f"Text normalised by `{main['normaliser']}`.",
        f"Trained in {results['training_minutes']} minutes, {results['parameters']:,} parameters; "
        f"seed {results['seed']}, commit {results['commit']}, evaluated by {results['evaluated_by_commit']}, "
        f"{results['hardware']}, {results['date']}.",
        "",
    ]
    return "\n".join(lines) + "\n"


def _peer(peer: Peer) -> str:
    return f"| {peer.system} | {_per_cent(peer.wer)} | {_per_cent(peer.cer)} | {peer.source} |"


def _rate(rate: Mapping[str, Any]) -> str:
    interval = rate["interval"]
    shown = f" ({100 * interval['low']:.1f} to {100 * interval['high']:.1f})" if interval else ""
    return _per_cent(rate["rate"]) + shown


def _per_cent(fraction: float | None) -> str:
    """A fraction as shown.

    >>> _per_cent(0.0957), _per_cent(None)
    ('9.6 %', '')
    """
    return "" if fraction is None else f"{100 * fraction:.1f} %"
