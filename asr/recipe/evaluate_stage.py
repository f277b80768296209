"""The stage that evaluates bundles and peers on test sets."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from asr.bundle import read_normaliser
from asr.data import Utterance, read_manifest
from asr.errors import AsrError
from asr.evaluation import Evaluation, compare_evaluations, evaluate, read_hypotheses, write_hypotheses
from asr.inference import load_model
from asr.inference import texts as to_texts
from asr.inference.decoding_options import Decoding
from asr.recipe.export_stage import PRECISIONS
from asr.recipe.language_model_stage import LanguageModel
from asr.recipe.plan import Peer, Plan
from asr.recipe.results import Compared, SetFigures, SystemScores
from asr.recipe.table import NOBODY
from asr.recipe.tune_stage import DecodingPlan, copy_to_tune, halves, tune_stage

DEV = "dev"
HELD_OUT = "speakers held out"


@dataclass(frozen=True)
class EvaluationSet:
    """A set of utterances to evaluate bundles on.

    Attributes:
        name: the name of the set, such as test-clean.
        utterances: all utterances of the set.
        readers: each bundle with the utterances that it transcribes; there are several bundles where each was tuned on
            the speakers that the others transcribe.
        tuned_on: a description of the speakers that the bundles' decoders were tuned on.
    """

    name: str
    utterances: Sequence[Utterance]
    readers: Sequence[tuple[Path, Sequence[Utterance]]]
    tuned_on: str

    @classmethod
    def read_by(cls, bundle: Path, name: str, utterances: Sequence[Utterance], tuned_on: str) -> EvaluationSet:
        """Return a set that one bundle transcribes."""
        return cls(name, utterances, [(bundle, utterances)], tuned_on)

    @property
    def normaliser(self) -> str:
        """The name of the normaliser of the bundles that transcribe the set."""
        return read_normaliser(self.readers[0][0])

    @property
    def seconds(self) -> float:
        """Seconds of audio."""
        return sum(u.duration for u in self.utterances)

    def figures(self) -> SetFigures:
        """Return the size of the set and its other figures for results.json."""
        hours, speakers = round(self.seconds / 3600, 4), len({u.speaker for u in self.utterances})
        return SetFigures(self.name, len(self.utterances), hours, speakers, self.tuned_on)


@dataclass(frozen=True)
class Evaluated:
    """The output and the scores of a system on a test set.

    Attributes:
        evaluation: the scores.
        rtf: the real-time factor, seconds of processing for a second of audio, without loading the model; None where
            it was not measured.
        texts: the transcripts, or errors, by utterance id.
    """

    evaluation: Evaluation
    rtf: float | None
    texts: Mapping[str, str | AsrError]

    def scores(self) -> SystemScores:
        """Return the system's figures for results.json."""
        return SystemScores.of(self.evaluation, self.rtf)


def evaluate_bundle(test: EvaluationSet, precision: str, decoding: Decoding) -> Evaluated:
    """Transcribe a set one utterance at a time, and score the transcripts."""
    texts: dict[str, str | AsrError] = {}
    seconds = 0.0
    for bundle, utterances in test.readers:
        transcriber = load_model(bundle, precision=precision, decoding=decoding)
        begun = time.perf_counter()
        found = list(to_texts(transcriber.transcribe_utterances(utterances, batch_size=1)))
        seconds += time.perf_counter() - begun
        texts |= zip((u.id for u in utterances), found, strict=True)
    return Evaluated(evaluate(test.utterances, texts, test.normaliser), seconds / test.seconds, texts)


def evaluation_sets(
    plan: Plan,
    bundle: Path,
    decoding_plan: DecodingPlan | None,
    dev: Sequence[Utterance],
    held_out: Sequence[Utterance],
    dev_speakers: Sequence[str],
    say: Callable[[str], None],
) -> list[EvaluationSet]:
    """Return the main test set, the utterances of held-out speakers, and the further sets.

    Their bundles are given their language model here.
    """
    test = read_manifest(plan.test) if plan.test else []
    tuned_on = "the dev set" if decoding_plan else NOBODY
    if decoding_plan:
        tune_stage(bundle, decoding_plan, dev, say, test=test)
    if plan.test:
        first = EvaluationSet.read_by(bundle, plan.test.stem, test, tuned_on)
    elif decoding_plan:
        first = _by_halves(bundle, decoding_plan, dev, dev_speakers, say)
    else:
        first = EvaluationSet.read_by(bundle, DEV, dev, tuned_on)
    further: dict[str, Sequence[Utterance]] = {}
    if held_out:
        further[HELD_OUT] = held_out
    further |= {_name(path): read_manifest(path) for path in plan.further_tests if path.is_file()}
    return [first, *(EvaluationSet.read_by(bundle, name, found, tuned_on) for name, found in further.items())]


def _name(manifest: Path) -> str:
    """Return the name of a test set: that of its manifest, with the corpus where it says no more than test.

    >>> _name(Path("manifests/librispeech/test-clean.jsonl")), _name(Path("manifests/an4/test.jsonl"))
    ('test-clean', 'an4 test')
    """
    return f"{manifest.parent.name} test" if manifest.stem == "test" else manifest.stem


def _by_halves(
    bundle: Path,
    decoding_plan: DecodingPlan,
    dev: Sequence[Utterance],
    dev_speakers: Sequence[str],
    say: Callable[[str], None],
) -> EvaluationSet:
    """Return the dev set, each half of its speakers transcribed by a bundle tuned on the other half alone."""
    parts = halves(dev_speakers or sorted({u.speaker for u in dev}))
    first, second = ([u for u in dev if u.speaker in part] for part in parts)
    readers = []
    for name, tuning, tested in [("second", second, first), ("first", first, second)]:
        copy = bundle.with_name(f"tuned_on_{name}_half")
        copy_to_tune(bundle, copy)
        tune_stage(copy, decoding_plan, tuning, say)
        readers.append((copy, tested))
    return EvaluationSet(DEV, dev, readers, "the other half of the speakers")


def ways_to_decode(plan: Plan, model: LanguageModel | None) -> dict[str, tuple[str, Decoding]]:
    """Return the ways to decode, each by a short name with its name in the table; the last one is the bundle's own."""
    ways = {"greedy": ("greedy", Decoding(beam_width=1))}
    if model:
        ngrams = f"{model.figures.order}-gram of {model.of}"
        ways["lm"] = (ngrams, Decoding())
        if plan.lexicon:
            ways["lm"] = (ngrams, Decoding(language_model=model.path))
            ways["phones"] = (f"{ngrams}, by phones", Decoding())
    return ways


def evaluate_ways(test: EvaluationSet, ways: Mapping[str, tuple[str, Decoding]], folder: Path) -> dict[str, Evaluated]:
    """Evaluate each way to decode at each precision, and save transcripts in ``folder`` for asr compare and reports."""
    found = {}
    for short, (way, decoding) in ways.items():
        for precision in PRECISIONS:
            one = found[f"this recipe, {way}, {precision}"] = evaluate_bundle(test, precision, decoding)
            write_hypotheses(folder / f"{test.name}-{short}-{precision}.jsonl", one.texts)
    return found


def evaluate_peers(
    peers: Sequence[Peer], tests: Sequence[EvaluationSet], say: Callable[[str], None]
) -> Iterator[tuple[str, str, Evaluated]]:
    """Yield the test set's name, the peer's name and its scores, for each peer whose hypotheses are there.

    Raises:
        EvaluationError: the hypotheses do not belong to exactly the utterances of the set.
    """
    for peer in peers:
        test = next((t for t in tests if t.name == peer.test_set), None) if peer.test_set else tests[0]
        if peer.hypotheses is None or test is None:
            continue
        if not Path(peer.hypotheses).is_file():
            say(f"evaluate: {peer.system}: {peer.hypotheses} is not there; its row is left out")
            continue
        texts = read_hypotheses(peer.hypotheses)
        yield test.name, peer.system, Evaluated(evaluate(test.utterances, texts, test.normaliser), peer.rtf, texts)


def compared_with(peer: Evaluated, ours: Evaluation, name: str) -> SystemScores:
    """Return a peer's figures, with paired tests of its word errors against those of ``ours``, called ``name``."""
    found = compare_evaluations(ours, peer.evaluation)
    better = {"A": name, "B": "peer"}.get(found.better or "")
    return replace(peer.scores(), compared=Compared(name, better, found.difference, found.matched_pairs))
