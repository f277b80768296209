"""A recipe's results: results.json, and the table in its README that is rendered from it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from asr.errors import ConfigError
from asr.evaluation import Evaluation
from asr.files import write_atomically
from asr.recipe.judge import NOBODY
from asr.recipe.plan import Plan

NOT_MEASURED = "\n\nnot measured yet\n\n"
"""What stands between the markers before there are results."""

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
    lines = [*_table(plan, results, results.get("judged_on"), results["systems"]), *_speakers(results)]
    for further in results.get("further", {}).values():
        lines += _table(plan, results, further, further["systems"])
    return "\n".join([*lines, "", *_words(results), *_language_model(results), _training(results), ""]) + "\n"


def _table(
    plan: Plan, results: Mapping[str, Any], judged_on: Mapping[str, Any] | None, systems: Mapping[str, Any]
) -> list[str]:
    """One test set's rows; ``judged_on`` says which where a recipe has several, or judges by its dev set."""
    first = systems is results["systems"]
    name = judged_on["name"] if judged_on else None
    measured = results.get("peers", {}).get(name, {}) if name else dict(_only(results.get("peers", {})))
    rows = [_system(one, system, f"`{results['command']}`", bold=True) for one, system in systems.items()]
    for peer in plan.peers:
        if peer.test_set != name and not (first and peer.test_set is None):
            continue
        if peer.system in measured:
            rows.append(_system(peer.system, measured[peer.system], peer.source, bold=False))
        elif peer.hypotheses is None:
            rows.append([peer.system, _per_cent(peer.wer), _per_cent(peer.cer), _factor(peer.rtf), peer.source])
    columns = ["system", "WER", "CER", "RTF", "source"]
    if not any(row[3] for row in rows):
        columns, rows = [c for c in columns if c != "RTF"], [[*row[:3], row[4]] for row in rows]
    heading = ["", _heading(judged_on)] if judged_on else []
    said = [line for system, peer in measured.items() if (line := _compared(system, peer))]
    return [*heading, "", _row(columns), "|" + "---|" * len(columns), *map(_row, rows), *said]


def _compared(system: str, peer: Mapping[str, Any]) -> str:
    """The paired tests of ours and a peer that was measured, in a sentence; an empty line stands before it."""
    paired = peer.get("compared")
    if not paired or not paired["difference"]:
        return ""
    difference = paired["difference"]
    low, high = (100 * difference["interval"][end] for end in ("low", "high"))
    fewer = {paired["with"]: f"{paired['with']} makes fewer word errors", "peer": "that one makes fewer word errors"}
    verdict = fewer.get(paired["better"], "which makes fewer word errors cannot be said")
    return (
        f"\nBeside {system}: {verdict}; difference {100 * difference['rate']:+.1f} points "
        f"({low:+.1f} to {high:+.1f}), matched pairs p = {paired['matched_pairs']['p']:.2g}."
    )


def _only(peers: Mapping[str, Any]) -> Mapping[str, Any]:
    """The one test set's, or none."""
    return next(iter(peers.values()), {})


def _heading(judged_on: Mapping[str, Any]) -> str:
    speakers = f"{judged_on['speakers']} speaker{'s' if judged_on['speakers'] > 1 else ''}"
    counts = f"{judged_on['utterances']:,} utterances, {judged_on['hours']:.2f} h, {speakers}"
    on, tuned_on = f"On {judged_on['name']} ({counts})", judged_on["tuned_on"]
    return f"{on}:" if tuned_on == NOBODY else f"{on}, weights of the language model tuned on {tuned_on}:"


def _system(name: str, system: Mapping[str, Any], source: str, *, bold: bool) -> list[str]:
    shown = f"**{name}**" if bold else name
    return [shown, _rate(system["wer"]), _rate(system["cer"]), _factor(system.get("rtf")), source]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _speakers(results: Mapping[str, Any]) -> list[str]:
    if not results["by_speaker"]:
        return []
    rows = sorted(results["by_speaker"], key=lambda row: row["speaker"])
    return [
        "",
        f"By speaker, {results['main']}:",
        "",
        "| speaker | utterances | WER | CER |",
        "|---|---|---|---|",
        *(
            f"| {r['speaker']} | {r['utterances']} | {_per_cent(r['wer']['rate'])} | {_per_cent(r['cer']['rate'])} |"
            for r in rows
        ),
    ]


def _words(results: Mapping[str, Any]) -> list[str]:
    main = results["systems"][results["main"]]
    kinds = {
        "substitutions": "substituted",
        "deletions": "deleted",
        "insertions": "inserted",
        "reference_length": "in all",
    }
    counts = ", ".join(f"{main['wer'][key]} {word}" for key, word in kinds.items())
    over = f"bootstrap over {main['wer']['interval']['over']}"
    return [f"Words: {counts}. Intervals: 95 %, {over}. Text normalised by `{main['normaliser']}`."]


def _language_model(results: Mapping[str, Any]) -> list[str]:
    model = results.get("language_model")
    if not model:
        return []
    line = (
        f"Language model: {model['order']}-gram of {model['of']}, {model['words_of_text']:,} words of text, "
        f"{model['ngrams'][0]:,} different ones known, {model['bytes'] / 1e6:.1f} MB"
    )
    if dev := model.get("dev"):
        perplexity, unknown = dev["perplexity_including_unknown"], 100 * dev["unknown_rate"]
        line += f"; perplexity {perplexity:.0f} on the dev transcripts, {unknown:.1f} % of whose words it lacks"
    return [f"{line}."]


def _training(results: Mapping[str, Any]) -> str:
    speed = ""
    if "audio_s_per_s" in results:
        times = {0: "never", 1: "once", 2: "twice"}.get(results["resumed"], f"{results['resumed']} times")
        speed = f" ({results['audio_s_per_s']:.0f} audio-seconds a second; stopped and resumed {times})"
    rounds = f" in {len(results['rounds'])} rounds," if "rounds" in results else ""
    begun = results.get("began_with")
    start = f"Begun with the weights of {begun['model']} (commit {begun['commit']}). " if begun else ""
    return (
        f"{start}Trained{rounds} in {results['training_minutes']} minutes{speed}, "
        f"{results['parameters']:,} parameters; seed {results['seed']}, commit {results['commit']}, "
        f"evaluated by {results['evaluated_by_commit']}, {results['hardware']}, {results['date']}."
    )


def _factor(rtf: float | None) -> str:
    return "" if rtf is None else f"{rtf:.3f}"


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
