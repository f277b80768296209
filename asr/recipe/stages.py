"""The stages: prepare → train → export → evaluate. Each looks at what is there and does what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asr.corpora.archives import archives_of
from asr.corpora.fetch import fetch
from asr.corpora.prepare import prepare
from asr.data import Utterance, read_manifest
from asr.errors import AsrError
from asr.evaluation import Evaluation, evaluate
from asr.export import export_bundle
from asr.inference import load_model
from asr.provenance import provenance
from asr.recipe.plan import Plan
from asr.recipe.results import summary_of
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
    evaluations = {p: _judge(bundle, p, test) for p in PRECISIONS}
    systems = {f"this recipe, greedy, {p}": e for p, e in evaluations.items()}
    return _result(plan, systems, [trained], evaluations["float32"])


def run_leave_one_out(plan: Plan, run: Path, train: Train, say: Callable[[str], None]) -> dict[str, Any] | None:
    """For each speaker, train on the others and transcribe him; None when out of minutes."""
    everyone = read_manifest(str(plan.leave_one_speaker_out))
    hypotheses: dict[str, str | AsrError] = {}
    runs = []
    for speaker in sorted({u.speaker for u in everyone}):
        folder = run / speaker
        if not train([f"run_dir={folder}", f"data.held_out_speakers=[{speaker}]"]):
            return None
        runs.append(Trained.read(folder))
        held_out = [u for u in everyone if u.speaker == speaker]
        hypotheses |= dict(zip((u.id for u in held_out), transcribe_with_checkpoint(folder, held_out), strict=True))
        say(f"evaluate: {speaker}, whom the model has never heard, {len(held_out)} utterances")
    evaluation = evaluate(everyone, hypotheses)
    return _result(plan, {"this recipe, greedy, speaker held out": evaluation}, runs, evaluation)


def _judge(bundle: Path, precision: str, test: list[Utterance]) -> Evaluation:
    transcriber = load_model(bundle, precision=precision)
    return evaluate(test, list(transcriber.transcribe_utterances(test, batch_size=1)))


def _card(bundle: Path) -> dict[str, Any]:
    path = bundle / "card.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _result(plan: Plan, systems: dict[str, Evaluation], runs: Sequence[Trained], main: Evaluation) -> dict[str, Any]:
    record = json.loads((runs[0].folder / "setup.json").read_text(encoding="utf-8"))["record"]
    return {
        "recipe": plan.name,
        "command": f"asr recipe {plan.name}",
        "systems": {name: summary_of(e) for name, e in systems.items()},
        "by_speaker": main.to_json(0)["by_speaker"],
        "training_minutes": round(sum(r.minutes for r in runs), 1),
        "parameters": record["parameters"],
        "weights_sha256": [r.weights for r in runs],
        **provenance(record["seed"]),
        "commit": record["commit"],
    }
