"""List the models of this package, or show the card of one.

asr models                 all models: their uses, error rates and sizes
asr models NAME            the card of one: its training data, licences and training
asr models FOLDER          the card of any bundle
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asr.card import ModelCard
    from asr.rates import Rate

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
    from asr.bundle import find_bundle, shipped_bundles

    if arguments.name is not None:
        model = _Model.read(find_bundle(arguments.name))
        print(_json(model.card.to_json())) if arguments.json else _print(_card_lines(model))
        return 0
    listed = [_Model.read(folder) for folder in shipped_bundles()]
    print(_json([model.to_json() for model in listed])) if arguments.json else _print(_list_lines(listed))
    return 0


def _json(content: Any) -> str:
    return to_json(content, indent=1)


@dataclass(frozen=True)
class _Model:
    """A bundle's folder and its card."""

    folder: Path
    card: ModelCard

    @classmethod
    def read(cls, folder: Path) -> _Model:
        from asr.card import read_card

        return cls(folder, read_card(folder))

    @property
    def is_default(self) -> bool:
        from asr.bundle import DEFAULT

        return self.folder.name == DEFAULT

    @property
    def bytes(self) -> int:
        """The size of the bundle's files."""
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    @property
    def wer(self) -> Rate | None:
        """The WER with the bundle's decoder, None where it was not scored."""
        return self.card.scored.wer if self.card.scored else None

    @property
    def greedy_wer(self) -> Rate | None:
        """The WER of the best path, None where it was not scored."""
        return self.card.greedy.wer if self.card.greedy else None

    @property
    def licences(self) -> list[str]:
        """The licences of the corpora, each once."""
        return list(dict.fromkeys(source.licence for source in self.card.data))

    def to_json(self) -> dict[str, Any]:
        """Return the entry of the model in the list."""
        from asr.typed import to_tree

        return {
            "name": self.folder.name,
            "default": self.is_default,
            "title": self.card.title,
            "language": self.card.language,
            "bytes": self.bytes,
            "evaluated_on": self.card.evaluated_on,
            "wer": to_tree(self.wer),
            "wer_greedy": to_tree(self.greedy_wer),
            "good_for": self.card.good_for,
            "not_for": self.card.not_for,
            "licences": self.licences,
        }


def _list_lines(listed: Sequence[_Model]) -> Iterator[tuple[str, str]]:
    if not listed:
        yield "", "no model ships with this installation; name a bundle's folder with --model"
    for model in listed:
        yield from _summary_lines(model)
        yield "licence", "; ".join(model.licences) or "not stated"
    if listed:
        yield "", "asr transcribe FILE --model NAME uses one; asr models NAME shows its whole card."
        yield "", _default_words()


def _default_words() -> str:
    from asr.bundle import DEFAULT, MODEL_VARIABLE, default_bundle

    if (own := default_bundle()) != DEFAULT:
        return f"Where none is named, {own} is used: {MODEL_VARIABLE} says so."
    return f"Set {MODEL_VARIABLE} to a name or a folder to have it used where none is named."


def _summary_lines(model: _Model) -> Iterator[tuple[str, str]]:
    card = model.card
    yield "", f"{model.folder.name}{' (default)' if model.is_default else ''}: {card.title}"
    yield "WER", _wer_words(model)
    yield "language", card.language
    yield "size", f"{model.bytes / 1e6:.1f} MB"
    yield "good for", card.good_for
    yield "not for", card.not_for


def _wer_words(model: _Model) -> str:
    wer, greedy = model.wer, model.greedy_wer
    if wer is None:
        return "not scored"
    words = _rate(wer) + (f" on {model.card.evaluated_on}" if model.card.evaluated_on else "")
    return words if greedy is None or wer == greedy else f"{words}, {_rate(greedy)} by the best path alone"


def _rate(wer: Rate) -> str:
    if wer.rate is None:
        return "no words in the references"
    shown = f" ({100 * wer.interval.low:.1f} to {100 * wer.interval.high:.1f})" if wer.interval else ""
    return f"{100 * wer.rate:.1f} %{shown}"


def _card_lines(model: _Model) -> Iterator[tuple[str, str]]:
    """Yield the lines of a card as (name, text), the most important first."""
    card, decoder = model.card, model.card.decoder
    yield from _summary_lines(model)
    if decoder and decoder.test and decoder.test.tuned_on:
        yield "weights", f"tuned on {decoder.test.tuned_on} for the WER above"
    yield "network", f"{card.description}; {card.parameters or 0:,} parameters"
    for name, part in card.training_data.items():
        yield name, f"{part.utterances:,} utterances, {part.hours:.2f} h, {part.speakers} speakers"
    for source in card.data:
        yield "data", f"{source.name}. Licence: {source.licence}. {source.attribution}. {source.url}"
    if decoder and decoder.language_model:
        ngrams = ", ".join(f"{count:,}" for count in decoder.language_model.ngrams)
        yield "language model", f"n-grams by order: {ngrams}; {decoder.language_model.bytes / 1e6:.1f} MB"
    if made := card.trained:
        minutes = "" if made.seconds is None else f", {made.seconds / 60:.0f} minutes"
        yield "trained", f"{made.date}{minutes}, seed {made.seed}, commit {made.commit}, {made.hardware}"
    yield "folder", str(model.folder)


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
