"""The table in a recipe's README, rendered from its results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from asr.errors import ConfigError
from asr.files import write_text
from asr.rates import Rate
from asr.recipe.plan import Plan
from asr.recipe.results import Results, SetFigures, SystemScores

NOBODY = "nobody"
"""The description of the speakers that a decoder without a language model was tuned on."""

NOT_MEASURED = "\n\nnot measured yet\n\n"
"""The text between the markers before there are results."""

BEGIN, END = "<!-- results: rendered from results.json by `asr recipe` -->", "<!-- end of results -->"


def write_readme_table(plan: Plan, results: Results) -> None:
    """Put the rendered table between the markers of the recipe's README.

    Raises:
        ConfigError: the README has no markers.
    """
    path = plan.home / "README.md"
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise ConfigError(f"{path} needs the lines {BEGIN!r} and {END!r} around its table")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    write_text(path, f"{before}{BEGIN}\n{render(plan, results)}{END}{after}")


def render(plan: Plan, results: Results) -> str:
    """Return the Markdown between the markers."""
    lines = [*_table(plan, results, results.test_set, results.systems), *_speakers(results)]
    for further in (results.further or {}).values():
        lines += _table(plan, results, further, further.systems)
    return "\n".join([*lines, "", *_words(results), *_language_model(results), _training(results), ""]) + "\n"


def _table(plan: Plan, results: Results, of_set: SetFigures | None, systems: Mapping[str, SystemScores]) -> list[str]:
    """Return one test set's rows; ``of_set`` names it where a recipe has several or tests on its dev set."""
    first = systems is results.systems
    name, peers = of_set.name if of_set else None, results.peers or {}
    measured = peers.get(name, {}) if name else _only(peers)
    rows = [_system(one, system, f"`{results.command}`", bold=True) for one, system in systems.items()]
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
    heading = ["", _heading(of_set)] if of_set else []
    said = [line for system, peer in measured.items() if (line := _compared(system, peer))]
    return [*heading, "", _row(columns), "|" + "---|" * len(columns), *map(_row, rows), *said]


def _compared(system: str, peer: SystemScores) -> str:
    """Return a sentence on the paired tests of our system and a measured peer, with an empty line before it."""
    paired = peer.compared
    if paired is None or paired.difference is None:
        return ""
    difference, ours = paired.difference, paired.with_
    low, high = 100 * difference.interval.low, 100 * difference.interval.high
    fewer = {ours: f"{ours} makes fewer word errors", "peer": "that one makes fewer word errors"}
    verdict = fewer.get(paired.better or "", "which makes fewer word errors cannot be said")
    return (
        f"\nBeside {system}: {verdict}; difference {100 * difference.rate:+.1f} points "
        f"({low:+.1f} to {high:+.1f}), matched pairs p = {paired.matched_pairs.p:.2g}."
    )


def _only(peers: Mapping[str, Mapping[str, SystemScores]]) -> Mapping[str, SystemScores]:
    """Return the peers of the one test set, or none."""
    return next(iter(peers.values()), {})


def _heading(of_set: SetFigures) -> str:
    speakers = f"{of_set.speakers} speaker{'s' if of_set.speakers > 1 else ''}"
    on = f"On {of_set.name} ({of_set.utterances:,} utterances, {of_set.hours:.2f} h, {speakers})"
    return f"{on}:" if of_set.tuned_on == NOBODY else f"{on}, weights of the language model tuned on {of_set.tuned_on}:"


def _system(name: str, system: SystemScores, source: str, *, bold: bool) -> list[str]:
    shown = f"**{name}**" if bold else name
    return [shown, _rate(system.wer), _rate(system.cer), _factor(system.rtf), source]


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _speakers(results: Results) -> list[str]:
    if not results.by_speaker:
        return []
    rows = sorted(results.by_speaker, key=lambda row: row.speaker)
    return [
        "",
        f"By speaker, {results.main}:",
        "",
        "| speaker | utterances | WER | CER |",
        "|---|---|---|---|",
        *(
            f"| {row.speaker} | {row.utterances} | {_per_cent(row.wer.rate)} | {_per_cent(row.cer.rate)} |"
            for row in rows
        ),
    ]


def _words(results: Results) -> list[str]:
    main = results.systems[results.main]
    kinds = {
        "substitutions": "substituted",
        "deletions": "deleted",
        "insertions": "inserted",
        "reference_length": "in all",
    }
    counts = ", ".join(f"{getattr(main.wer, key)} {word}" for key, word in kinds.items())
    over = f" Intervals: 95 %, bootstrap over {main.wer.interval.over}." if main.wer.interval else ""
    return [f"Words: {counts}.{over} Text normalised by `{main.normaliser}`."]


def _language_model(results: Results) -> list[str]:
    model = results.language_model
    if model is None:
        return []
    line = (
        f"Language model: {model.order}-gram of {model.of}, {model.words_of_text:,} words of text, "
        f"{model.ngrams[0]:,} different ones known, {model.bytes / 1e6:.1f} MB"
    )
    if model.dev:
        perplexity, unknown = model.dev.perplexity_including_unknown, 100 * model.dev.unknown_rate
        line += f"; perplexity {perplexity:.0f} on the dev transcripts, {unknown:.1f} % of whose words it lacks"
    return [f"{line}."]


def _training(results: Results) -> str:
    speed = ""
    if results.audio_s_per_s is not None and results.resumed is not None:
        times = {0: "never", 1: "once", 2: "twice"}.get(results.resumed, f"{results.resumed} times")
        speed = f" ({results.audio_s_per_s:.0f} audio-seconds a second; stopped and resumed {times})"
    rounds = f" in {len(results.rounds)} rounds," if results.rounds else ""
    begun = results.began_with
    start = f"Begun with the weights of {begun.model} (commit {begun.commit}). " if begun else ""
    return (
        f"{start}Trained{rounds} in {results.training_minutes} minutes{speed}, "
        f"{results.parameters:,} parameters; seed {results.seed}, commit {results.commit}, "
        f"evaluated by {results.evaluated_by_commit}, {results.hardware}, {results.date}."
    )


def _factor(rtf: float | None) -> str:
    return "" if rtf is None else f"{rtf:.3f}"


def _rate(rate: Rate) -> str:
    shown = f" ({100 * rate.interval.low:.1f} to {100 * rate.interval.high:.1f})" if rate.interval else ""
    return _per_cent(rate.rate) + shown


def _per_cent(fraction: float | None) -> str:
    """Return a fraction as it is shown.

    >>> _per_cent(0.0957), _per_cent(None)
    ('9.6 %', '')
    """
    return "" if fraction is None else f"{100 * fraction:.1f} %"
