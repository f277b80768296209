"""Test sets, and how well bundles and peers do on them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from asr.bundle import read_normaliser
from asr.data import Utterance
from asr.errors import AsrError
from asr.evaluation import Evaluation, compare_evaluations, evaluate, read_hypotheses
from asr.inference import load_model
from asr.inference import texts as to_texts
from asr.inference.decoding_options import Decoding
from asr.recipe.plan import Peer

NOBODY = "nobody"
"""Whom a decoder without a language model was tuned on."""


@dataclass(frozen=True)
class JudgingSet:
    """Utterances to be judged by.

    Attributes:
        name: such as test-clean.
        utterances: all of them.
        readers: which bundle reads whom; more than one where each was tuned on the others' speakers.
        tuned_on: whom the bundles' decoders were tuned on, in words.
    """

    name: str
    utterances: Sequence[Utterance]
    readers: Sequence[tuple[Path, Sequence[Utterance]]]
    tuned_on: str

    @classmethod
    def read_by(cls, bundle: Path, name: str, utterances: Sequence[Utterance], tuned_on: str) -> JudgingSet:
        """A set that one bundle reads."""
        return cls(name, utterances, [(bundle, utterances)], tuned_on)

    @property
    def normaliser(self) -> str:
        """The name of the normaliser of the bundles that read it."""
        return read_normaliser(self.readers[0][0])

    @property
    def seconds(self) -> float:
        """Of audio."""
        return sum(u.duration for u in self.utterances)

    def to_json(self) -> dict[str, Any]:
        """What it is."""
        return {
            "name": self.name,
            "utterances": len(self.utterances),
            "hours": round(self.seconds / 3600, 4),
            "speakers": len({u.speaker for u in self.utterances}),
            "tuned_on": self.tuned_on,
        }


@dataclass(frozen=True)
class Judged:
    """What a system did on a set.

    Attributes:
        evaluation: its scores.
        rtf: processing seconds a second of audio, loading of the model not included; None where not measured.
        texts: what it read, by id.
    """

    evaluation: Evaluation
    rtf: float | None
    texts: Mapping[str, str | AsrError]


def judge(test: JudgingSet, precision: str, decoding: Decoding) -> Judged:
    """Transcribe one utterance at a time, and score."""
    texts: dict[str, str | AsrError] = {}
    seconds = 0.0
    for bundle, utterances in test.readers:
        transcriber = load_model(bundle, precision=precision, decoding=decoding)
        begun = time.perf_counter()
        found = list(to_texts(transcriber.transcribe_utterances(utterances, batch_size=1)))
        seconds += time.perf_counter() - begun
        texts |= zip((u.id for u in utterances), found, strict=True)
    return Judged(evaluate(test.utterances, texts, test.normaliser), seconds / test.seconds, texts)


def judge_peers(
    peers: Sequence[Peer], tests: Sequence[JudgingSet], say: Callable[[str], None]
) -> Iterator[tuple[str, str, Judged]]:
    """Yield the test set's name, the peer's and its scores, of each peer whose hypotheses are there.

    Raises:
        EvaluationError: they are not of the set's utterances, all of them and no others.
    """
    for peer in peers:
        test = next((t for t in tests if t.name == peer.test_set), None) if peer.test_set else tests[0]
        if peer.hypotheses is None or test is None:
            continue
        if not Path(peer.hypotheses).is_file():
            say(f"evaluate: {peer.system}: {peer.hypotheses} is not there; its row is left out")
            continue
        texts = read_hypotheses(peer.hypotheses)
        yield test.name, peer.system, Judged(evaluate(test.utterances, texts, test.normaliser), peer.rtf, texts)


def compared(peer: Evaluation, ours: Evaluation, name: str) -> dict[str, Any]:
    """Which makes fewer word errors, ``ours``, called ``name``, or the peer, by paired tests; None where none does."""
    found = compare_evaluations(ours, peer)
    better = {"A": name, "B": "peer"}.get(found.better or "")
    difference = asdict(found.difference) if found.difference else None
    return {"with": name, "better": better, "difference": difference, "matched_pairs": asdict(found.matched_pairs)}
