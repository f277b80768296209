"""The stage that trains the language model, on books if they are there, else on the training transcripts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

from asr.data import Utterance, read_manifest
from asr.files import sha256_of, write_json
from asr.lm import NgramModel, perplexity, read_sentences, train_ngram
from asr.lm.mapped_file import VERSION
from asr.recipe.plan import LanguageModelPlan
from asr.recipe.results import DevPerplexity, LanguageModelFigures
from asr.text import normalise
from asr.typed import from_tree, to_tree

TRANSCRIPTS = "the training transcripts"


@dataclass(frozen=True)
class LanguageModel:
    """A language model that the stage has made.

    Attributes:
        path: the model's .lm file.
        of: a description of the text that it was trained on.
        figures: the figures of its text, its size and its perplexity on the dev transcripts, for results.json.
    """

    path: Path
    of: str
    figures: LanguageModelFigures


def make_language_model(
    plan: LanguageModelPlan,
    text: Path | None,
    run: Path,
    train: Sequence[Utterance],
    dev: Sequence[Utterance],
    normaliser: str,
    say: Callable[[str], None],
) -> LanguageModel:
    """Make ``run/language_model.lm``, unless a model of the same plan and texts is there.

    Args:
        plan: the order and size of the model.
        text: a file of prose; the transcripts of ``train`` are counted where it is None or not there.
        run: the folder of the training run.
        train: the utterances, with normalised texts, that the acoustic model was trained on.
        dev: the utterances, with normalised texts, on which perplexity is measured.
        normaliser: the name of the normaliser for ``text``.
        say: a function that takes a line about the stage.

    Raises:
        LanguageModelError: the text cannot be read.
    """
    if text is not None and not text.is_file():
        say(f"language model: {text} is not there; {TRANSCRIPTS} are counted instead")
        text = None
    path, record = run / "language_model.lm", run / "language_model.json"
    made_of = to_tree(plan)
    beside = [u.text for path in plan.beside for u in read_manifest(path)] if text else []
    origin = {"plan": made_of, "format": VERSION, "sha256": _digest(text, beside, train, dev)}
    if path.is_file() and record.is_file():
        before = json.loads(record.read_text(encoding="utf-8"))
        if before["origin"] == origin:
            say(f"language model: {path} is there")
            return LanguageModel(path, before["of"], from_tree(LanguageModelFigures, before["figures"]))
    counted = _Counted(
        chain(read_sentences(text, normaliser=normaliser, prose=True), _times(beside, plan.beside_times, normaliser))
        if text
        else (u.text for u in train)
    )
    most = None if plan.size_mb is None else int(plan.size_mb * 1e6)
    model = train_ngram(counted, plan.order, vocabulary_size=plan.vocabulary_size if text else None, size=most)
    model.save(path)
    of = plan.of if text else TRANSCRIPTS
    size = path.stat().st_size
    figures = LanguageModelFigures(of, plan.order, counted.words, tuple(model.counts), size, _perplexity(model, dev))
    write_json(record, {"origin": origin, "of": of, "figures": to_tree(figures)})
    say(f"language model: {path}, of {of}: {counted.words:,} words of text")
    return LanguageModel(path, of, figures)


class _Counted:
    """An iterator over texts that counts their words."""

    def __init__(self, texts: Iterator[str]) -> None:
        self.texts, self.words = texts, 0

    def __iter__(self) -> Iterator[str]:
        for text in self.texts:
            self.words += len(text.split())
            yield text


def _times(texts: Sequence[str], times: int, normaliser: str) -> Iterator[str]:
    """Yield all texts, normalised, so many times."""
    written = [normalise(text, normaliser) for text in texts]
    return chain.from_iterable(repeat(written, times))


def _digest(text: Path | None, beside: Sequence[str], train: Sequence[Utterance], dev: Sequence[Utterance]) -> str:
    """Return a hash of all texts that the model and its figures depend on."""
    counted = sha256_of(text) if text else "\n".join(u.text for u in train)
    return hashlib.sha256("\n\n".join([counted, *beside, *(u.text for u in dev)]).encode()).hexdigest()


def _perplexity(model: NgramModel, dev: Sequence[Utterance]) -> DevPerplexity | None:
    """Return the perplexity on the dev transcripts; None where they have no words."""
    if not any(u.text for u in dev):
        return None
    found = perplexity(model, (u.text for u in dev))
    return DevPerplexity(found.words, found.unknown_rate, found.including_unknown, found.excluding_unknown)
