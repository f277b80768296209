"""The stages: prepare → train → export → tune → evaluate. Each looks at what is there and does what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.bundle import load_bundle
from asr.corpora.archives import archives_of
from asr.corpora.fetch import fetch
from asr.corpora.prepare import prepare
from asr.data import Utterance, read_manifest
from asr.decoding import BeamDecoder, Decoder, GreedyDecoder
from asr.decoding.grammar import phrases
from asr.errors import AsrError
from asr.evaluation import Evaluation, evaluate
from asr.export import export_bundle
from asr.inference import load_model
from asr.inference.decoders import Decoding
from asr.inference.tuning import dev_set, tune_bundle
from asr.lm import train_ngram
from asr.provenance import provenance
from asr.recipe.plan import Plan
from asr.recipe.results import summary_of
from asr.text import Vocabulary
from asr.training import DataOptions
from asr.training.evaluate import transcribe_with_checkpoint

Train = Callable[[Sequence[str]], bool]
"""Train with these overrides on top of the recipe; True when the run is finished, False when it ran out of minutes."""

PRECISIONS = ("float32", "int8")


@dataclass(frozen=True)
class Trained:
    """A finished run: its folder, its minutes of training, the SHA-256 of its weights."""

    folder: Path
    minutes: float
    weights: str

    @classmethod
    def read(cls, folder: Path) -> Trained:
        """From the run's ``final.json``."""
        final = json.loads((folder / "final.json").read_text(encoding="utf-8"))
        return cls(folder, final["seconds"] / 60, final["sha256"])


def prepare_stage(plan: Plan, folder: Path, *, download: bool, say: Callable[[str], None]) -> None:
    """Make the corpus's manifests, fetching the corpus first if asked to."""
    out = Path("manifests") / plan.corpus
    if (out / "summary.json").is_file():
        say(f"prepare: {out} is there")
        return
    if download:
        archives = archives_of(plan.corpus, ())
        fetch(archives, folder.parent)
        folder = folder.parent / archives[0].root
    summary = prepare(plan.corpus, folder, out)
    say(f"prepare: {summary.utterances} utterances in {out}")


def run_one_model(plan: Plan, run: Path, train: Train, say: Callable[[str], None]) -> dict[str, Any] | None:
    """Train one model, export it, judge the bundle on the test manifest; None when out of minutes."""
    if not train([f"run_dir={run}"]):
        return None
    trained = Trained.read(run)
    test = read_manifest(str(plan.test))
    bundle = run / "bundle"
    if _card(bundle).get("trained", {}).get("sha256") == trained.weights:
        say(f"export: {bundle} is there")
    else:
        export_bundle(run, bundle, name=plan.name, card=plan.card, evaluate_on=plan.test, precisions=PRECISIONS)
        say(f"export: {bundle}")
    ways = {"greedy": Decoding(beam_width=1)}
    if plan.lm_order:
        tune_stage(plan.lm_order, run, bundle, test, say)
        ways[f"{plan.lm_order}-gram of the training transcripts"] = Decoding()
    systems = {
        f"this recipe, {way}, {precision}": _judge(bundle, precision, decoding, test)
        for way, decoding in ways.items()
        for precision in PRECISIONS
    }
    return _result(plan, systems, [trained], main=next(reversed(systems)))


def tune_stage(order: int, run: Path, bundle: Path, test: Sequence[Utterance], say: Callable[[str], None]) -> None:
    """Make a language model of what the run learned from, and put it into the bundle, weighed on the run's dev set."""
    if load_bundle(bundle).language_model:
        say(f"tune: {bundle} has its language model")
        return
    data = json.loads((run / "config.json").read_text(encoding="utf-8"))["data"]
    train, dev = DataOptions(**{key: value for key, value in data.items() if key != "batch_s"}).split()
    path = run / "language_model.lm"
    train_ngram((u.text for u in train), order).save(path)
    tuned = tune_bundle(bundle, dev_set(load_model(bundle), dev), path, test=test)
    best = tuned.best.wer if tuned.best else tuned.greedy[0]
    say(f"tune: dev WER {100 * tuned.greedy[0]:.2f} % greedy, {100 * best:.2f} % with the language model")


def run_leave_one_out(plan: Plan, run: Path, train: Train, say: Callable[[str], None]) -> dict[str, Any] | None:
    """For each speaker, train on the others and transcribe him; None when out of minutes."""
    everyone = read_manifest(str(plan.leave_one_speaker_out))
    ways: dict[str, Callable[[Vocabulary], Decoder]] = {"greedy": GreedyDecoder}
    if plan.grammar:
        ways["one of the words that can be said"] = lambda v: BeamDecoder(v, [phrases(plan.grammar, v)])
    hypotheses: dict[str, dict[str, str | AsrError]] = {way: {} for way in ways}
    runs = []
    for speaker in sorted({u.speaker for u in everyone}):
        folder = run / speaker
        if not train([f"run_dir={folder}", f"data.held_out_speakers=[{speaker}]"]):
            return None
        runs.append(Trained.read(folder))
        held_out = [u for u in everyone if u.speaker == speaker]
        for way, decoder_for in ways.items():
            texts = transcribe_with_checkpoint(folder, held_out, decoder_for)
            hypotheses[way] |= dict(zip((u.id for u in held_out), texts, strict=True))
        say(f"evaluate: {speaker}, whom the model has never heard, {len(held_out)} utterances")
    systems = {f"this recipe, {way}, speaker held out": evaluate(everyone, found) for way, found in hypotheses.items()}
    return _result(plan, systems, runs, main=next(iter(systems)))


def _judge(bundle: Path, precision: str, decoding: Decoding, test: list[Utterance]) -> Evaluation:
    transcriber = load_model(bundle, precision=precision, decoding=decoding)
    return evaluate(test, list(transcriber.transcribe_utterances(test, batch_size=1)))


def _card(bundle: Path) -> dict[str, Any]:
    path = bundle / "card.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _result(plan: Plan, systems: dict[str, Evaluation], runs: Sequence[Trained], main: str) -> dict[str, Any]:
    """What results.json holds; speakers and counts are of the system ``main``."""
    record = json.loads((runs[0].folder / "setup.json").read_text(encoding="utf-8"))["record"]
    return {
        "recipe": plan.name,
        "command": f"asr recipe {plan.name}",
        "systems": {name: summary_of(e) for name, e in systems.items()},
        "main": main,
        "by_speaker": systems[main].to_json(0)["by_speaker"],
        "training_minutes": round(sum(r.minutes for r in runs), 1),
        "parameters": record["parameters"],
        "weights_sha256": [r.weights for r in runs],
        **(now := provenance(record["seed"])),
        "commit": record["commit"],
        "evaluated_by_commit": now["commit"],
    }
