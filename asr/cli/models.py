"""List the models of this package, or show the card of one.

asr models                 all models: their uses, error rates and sizes
asr models NAME            the card of one: its training data, licences and training
asr models FOLDER          the card of any bundle
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from asr.files import to_json


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``asr models``."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a model of this package, or a bundle's folder")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """List the models, or show the card of one.

    Raises:
        BundleNotFoundError: no model has this name.
        BundleCorruptError: a card cannot be read.
    """
    from asr.bundle import find_bundle, read_card, shipped_bundles

    if arguments.name is not None:
        folder = find_bundle(arguments.name)
        card = read_card(folder)
        print(_json(card)) if arguments.json else _print(_card_lines(folder, card))
        return 0
    listed = [_summary(folder, read_card(folder)) for folder in shipped_bundles()]
    print(_json(listed)) if arguments.json else _print(_list_lines(listed))
    return 0


def _json(content: Any) -> str:
    return to_json(content, indent=1)


def _summary(folder: Path, card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the entry of a model in the list."""
    from asr.bundle import DEFAULT

    return {
        "name": folder.name,
        "default": folder.name == DEFAULT,
        "title": card.get("title"),
        "language": card.get("language"),
        "bytes": _size_of(folder),
        **_error_rates(card),
        "good_for": card.get("good_for"),
        "not_for": card.get("not_for"),
        "licences": list(dict.fromkeys(source["licence"] for source in card.get("data", ()))),
    }


def _size_of(folder: Path) -> int:
    """Return the size of a bundle's files in bytes."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def _error_rates(card: Mapping[str, Any]) -> dict[str, Any]:
    """Return the WER with the bundle's decoder and that of the best path; None if not evaluated."""
    models = card.get("models", {})
    scored = models.get("int8") or models.get("float32") or {}
    decoded = card.get("decoder", {}).get("test", {})
    return {
        "evaluated_on": card.get("evaluated_on"),
        "wer": decoded.get("wer") or scored.get("wer"),
        "wer_greedy": scored.get("wer"),
    }


def _list_lines(listed: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    if not listed:
        yield "", "no model ships with this installation; name a bundle's folder with --model"
    for one in listed:
        yield from _summary_lines(one)
        yield "licence", "; ".join(one["licences"]) or "not stated"
    if listed:
        yield "", "asr transcribe FILE --model NAME uses one; asr models NAME shows its whole card."
        yield "", _default_words()


def _default_words() -> str:
    from asr.bundle import DEFAULT, MODEL_VARIABLE, default_bundle

    if (own := default_bundle()) != DEFAULT:
        return f"Where none is named, {own} is used: {MODEL_VARIABLE} says so."
    return f"Set {MODEL_VARIABLE} to a name or a folder to have it used where none is named."


def _summary_lines(one: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "", f"{one['name']}{' (default)' if one['default'] else ''}: {one['title']}"
    yield "WER", _wer_words(one)
    yield "language", str(one["language"])
    yield "size", f"{one['bytes'] / 1e6:.1f} MB"
    yield "good for", str(one["good_for"])
    yield "not for", str(one["not_for"])


def _wer_words(one: Mapping[str, Any]) -> str:
    if not one["wer"]:
        return "not scored"
    words = _rate(one["wer"]) + (f" on {one['evaluated_on']}" if one["evaluated_on"] else "")
    return words if one["wer"] == one["wer_greedy"] else f"{words}, {_rate(one['wer_greedy'])} by the best path alone"


def _rate(wer: Mapping[str, Any]) -> str:
    interval = wer.get("interval")
    shown = f" ({100 * interval['low']:.1f} to {100 * interval['high']:.1f})" if interval else ""
    return f"{100 * wer['rate']:.1f} %{shown}"


def _card_lines(folder: Path, card: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the lines of a card as (name, text), the most important first."""
    yield from _summary_lines(_summary(folder, card))
    if tuned_on := card.get("decoder", {}).get("test", {}).get("tuned_on"):
        yield "weights", f"tuned on {tuned_on} for the WER above"
    yield "network", f"{card.get('description')}; {card.get('parameters', 0):,} parameters"
    for name, part in card.get("training_data", {}).items():
        yield name, f"{part['utterances']:,} utterances, {part['hours']:.2f} h, {part['speakers']} speakers"
    for source in card.get("data", ()):
        yield "data", f"{source['name']}. Licence: {source['licence']}. {source['attribution']}. {source['url']}"
    if model := card.get("decoder", {}).get("language_model"):
        ngrams = ", ".join(f"{count:,}" for count in model["ngrams"])
        yield "language model", f"n-grams by order: {ngrams}; {model['bytes'] / 1e6:.1f} MB"
    trained = card.get("trained", {})
    if trained:
        minutes = f", {trained['seconds'] / 60:.0f} minutes" if "seconds" in trained else ""
        yield (
            "trained",
            f"{trained['date']}{minutes}, seed {trained['seed']}, commit {trained['commit']}, {trained['hardware']}",
        )
    yield "folder", str(folder)


def _print(lines: Iterator[tuple[str, str]]) -> None:
    """Print lines (name, text), wrapped and indented; a line without a name is a heading."""
    import shutil
    import textwrap

    width = min(shutil.get_terminal_size((110, 24)).columns, 110)
    for place, (name, text) in enumerate(lines):
        if not name:
            print(("\n" if place else "") + textwrap.fill(text, width))
            continue
        print(textwrap.fill(text, width, initial_indent=f"  {name:15}", subsequent_indent=" " * 17))
