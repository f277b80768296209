"""The stages: prepare → train → export → tune → evaluate. Each looks at what is there and does what is missing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from asr.bundle import load_bundle
from asr.corpora.archives import ARCHIVES, archives_of
from asr.corpora.fetch import fetch
from asr.corpora.prepare import prepare
from asr.data import Utterance, read_manifest, write_manifest
from asr.decoding import BeamDecoder, Decoder, GreedyDecoder
from asr.decoding.grammar import phrases
from asr.errors import AsrError, ConfigError, CorpusError
from asr.evaluation import evaluate, write_hypotheses
from asr.export import export_bundle
from asr.inference.decoders import Decoding
from asr.provenance import provenance
from asr.recipe.cut import cut_stage
from asr.recipe.judge import NOBODY, Judged, JudgingSet, compared, judge, judge_peers
from asr.recipe.language_model import LanguageModel, make_language_model
from asr.recipe.lexicon import lexicon_stage
from asr.recipe.plan import Corpus, Plan
from asr.recipe.results import summary_of
from asr.recipe.tuned import Reading, card_of, copy_to_tune, halves, note_test, tune_stage
from asr.text import Vocabulary
from asr.training import DataOptions
from asr.training.evaluate import transcribe_with_checkpoint

Train = Callable[[Sequence[str], Sequence[str]], bool]
"""Train by the recipe, with the settings given first unless the user has others, and those given second in any case.

True when the run is finished, False when it ran out of minutes."""

Say = Callable[[str], None]

PRECISIONS = ("float32", "int8")
DEV = "dev"


@dataclass(frozen=True)
class Trained:
    """A finished run.

    Attributes:
        folder: of the run.
        seconds: of training, dev evaluations included, over all calls.
        audio_s: seconds of audio trained on, in all epochs.
        resumed: how often it went on after a stop.
        weights: SHA-256 of the final ones.
    """

    folder: Path
    seconds: float
    audio_s: float
    resumed: int
    weights: str

    @classmethod
    def read(cls, folder: Path) -> Trained:
        """From the run's ``final.json`` and ``setup.json``; each call that took a step has left a file of events."""
        final = json.loads((folder / "final.json").read_text(encoding="utf-8"))
        calls = len(list((folder / "events").glob("*.tfevents.*")))
        audio_s = 3600 * cls.record(folder)["data"]["train"]["hours"] * final["epochs"]
        return cls(folder, final["seconds"], audio_s, max(0, calls - 1), final["sha256"])

    @staticmethod
    def record(folder: Path) -> dict[str, Any]:
        """How the run's model was made."""
        return json.loads((folder / "setup.json").read_text(encoding="utf-8"))["record"]


def prepare_stage(plan: Plan, data: Path | None, normaliser: str, *, download: bool, say: Say) -> None:
    """Make the manifests of each corpus, fetching it first if asked to, those of words cut out, and the lexicon.

    Args:
        plan: says which.
        data: as in ``Plan.place``.
        normaliser: of the transcripts, by name.
        download: fetch.
        say: takes a line about each.
    """
    for corpus in plan.corpora:
        if not _lacking(corpus):
            say(f"prepare: {corpus.manifests} is there")
            continue
        folder = plan.place(corpus, data)
        if download and (corpus.importer in ARCHIVES or not folder.is_dir()):
            archives = archives_of(corpus.importer, tuple(corpus.parts))
            fetch(archives, folder.parent)
            folder = folder.parent / archives[0].root
        summary = prepare(corpus.importer, folder, corpus.manifests)
        say(f"prepare: {summary.utterances} utterances in {corpus.manifests}")
        if lacking := _lacking(corpus):
            raise CorpusError(
                f"{folder} has no {', '.join(lacking)}, which {plan.name} needs; --download fetches parts"
            )
    if plan.cut:
        cut_stage(plan.cut, say)
    if plan.lexicon:
        manifests = [path for corpus in plan.corpora for path in sorted(corpus.manifests.glob("*.jsonl"))]
        lexicon_stage(plan.lexicon, manifests, normaliser, say)


def _lacking(corpus: Corpus) -> list[str]:
    """What of its manifests is not there yet."""
    if not (corpus.manifests / "summary.json").is_file():
        return ["summary.json"]
    return [part for part in corpus.parts if not (corpus.manifests / f"{part}.jsonl").is_file()]


def run_one_model(plan: Plan, run: Path, train: Train, say: Say, data: Path | None = None) -> dict[str, Any] | None:
    """Train one model, export it, judge the bundle; None when out of minutes."""
    trained = _train_rounds(plan, run, train)
    if not trained:
        return None
    options = _data_options(run)
    learned, dev = options.split()
    manifest = plan.test or _dev_manifest(run, dev)
    bundle = _export_stage(plan, trained[-1], manifest, say)
    model = reading = None
    if plan.language_model:
        text = plan.text(data)
        model = make_language_model(plan.language_model, text, run, learned, dev, options.normaliser, say)
        reading = Reading(model.path, plan.beam_width, plan.lexicon)
    tests = _test_sets(plan, bundle, reading, options, dev, say)
    say(f"evaluate: {', '.join(f'{len(test.utterances)} utterances of {test.name}' for test in tests)}")
    ways = _ways(plan, model)
    judged = {test.name: _judge_all(test, ways, run / "hypotheses") for test in tests}
    systems = judged[tests[0].name]
    main = next(reversed(systems))
    if model and plan.judges_dev:
        note_test(bundle, systems[main].evaluation, tests[0].tuned_on)
    return {
        **_result(plan, systems, trained, main),
        **_rounds(trained),
        **_sets(plan, tests, judged, main, say),
        **_kept(model, bundle),
    }


def _train_rounds(plan: Plan, run: Path, train: Train) -> list[Trained]:
    """Each round of training, the last in ``run`` itself, those before in folders of it; empty when out of minutes."""
    done: list[Trained] = []
    for number, settings in enumerate(plan.rounds, start=1):
        folder = run if number == len(plan.rounds) else run / f"round_{number}"
        start = [f"init_from={done[-1].folder}"] if done else []
        if not train(settings, [f"run_dir={folder}", *start]):
            return []
        done.append(Trained.read(folder))
    return done


def _rounds(trained: Sequence[Trained]) -> dict[str, Any]:
    """What results say of each round of training, where there were several."""
    if len(trained) == 1:
        return {}
    return {
        "rounds": [
            {"minutes": round(one.seconds / 60, 1), "commit": Trained.record(one.folder)["commit"]} for one in trained
        ]
    }


def _ways(plan: Plan, model: LanguageModel | None) -> dict[str, tuple[str, Decoding]]:
    """Each way to decode by a short name, as the table calls it; the last is the bundle's own."""
    ways = {"greedy": ("greedy", Decoding(beam_width=1))}
    if model:
        ngrams = f"{model.figures['order']}-gram of {model.of}"
        ways["lm"] = (ngrams, Decoding())
        if plan.lexicon:
            ways["lm"] = (ngrams, Decoding(language_model=model.path))
            ways["phones"] = (f"{ngrams}, by phones", Decoding())
    return ways


def _judge_all(test: JudgingSet, ways: Mapping[str, tuple[str, Decoding]], folder: Path) -> dict[str, Judged]:
    """Each way to decode, each precision; what was read is kept in ``folder``, for asr compare and reports."""
    judged = {}
    for short, (way, decoding) in ways.items():
        for precision in PRECISIONS:
            one = judged[f"this recipe, {way}, {precision}"] = judge(test, precision, decoding)
            write_hypotheses(folder / f"{test.name}-{short}-{precision}.jsonl", one.texts)
    return judged


def _sets(
    plan: Plan, tests: Sequence[JudgingSet], judged: Mapping[str, Mapping[str, Judged]], main: str, say: Say
) -> dict[str, Any]:
    """What results say of the sets beside the first's systems: what they are, the further ones', and the peers."""
    found: dict[str, Any] = {}
    if plan.judges_dev or len(tests) > 1:
        found["judged_on"] = tests[0].to_json()
        found["further"] = {t.name: t.to_json() | {"systems": _summaries(judged[t.name])} for t in tests[1:]}
    for name, system, scores in judge_peers(plan.peers, tests, say):
        paired = compared(scores.evaluation, judged[name][main].evaluation, main)
        row = _summaries({system: scores})[system] | {"compared": paired}
        found.setdefault("peers", {}).setdefault(name, {})[system] = row
    return found


def _kept(model: LanguageModel | None, bundle: Path) -> dict[str, Any]:
    """What results say of the language model, and of the weights that the bundle is kept with."""
    if model is None:
        return {}
    opened = load_bundle(bundle)
    kept = {
        "weights": asdict(opened.decoder.weights),
        **({"spoken_weights": asdict(opened.decoder.phones.weights)} if opened.decoder.phones else {}),
        "beam_width": opened.decoder.beam_width,
        "tuned_on": opened.card["decoder"]["dev"],
    }
    return {"language_model": model.figures | kept}


def _data_options(run: Path) -> DataOptions:
    data = json.loads((run / "config.json").read_text(encoding="utf-8"))["data"]
    return DataOptions(**{key: value for key, value in data.items() if key != "batch_s"})


def _dev_manifest(run: Path, dev: Sequence[Utterance]) -> Path:
    """The dev set as a manifest of its own, for the export and for peers to be measured on."""
    if not dev:
        raise ConfigError("judge: dev needs a dev set; name data.dev or data.dev_speakers")
    path = run / "dev.jsonl"
    write_manifest(path, [replace(u, audio_filepath=os.path.abspath(u.audio_filepath)) for u in dev])
    return path


def _export_stage(plan: Plan, trained: Trained, manifest: Path, say: Say) -> Path:
    bundle = trained.folder / "bundle"
    if card_of(bundle).get("trained", {}).get("sha256") == trained.weights:
        say(f"export: {bundle} is there")
    else:
        run = trained.folder
        export_bundle(run, bundle, name=plan.name, card=plan.card, evaluate_on=manifest, precisions=PRECISIONS)
        say(f"export: {bundle}")
    return bundle


def _test_sets(
    plan: Plan,
    bundle: Path,
    reading: Reading | None,
    options: DataOptions,
    dev: Sequence[Utterance],
    say: Say,
) -> list[JudgingSet]:
    """The main set first; the bundles that read them get their language model here."""
    test = read_manifest(plan.test) if plan.test else []
    tuned_on = "the dev set" if reading else NOBODY
    if reading:
        tune_stage(bundle, reading, dev, say, test=test)
    if plan.test:
        first = JudgingSet.read_by(bundle, plan.test.stem, test, tuned_on)
    elif reading:
        first = _read_by_halves(bundle, reading, options, dev, say)
    else:
        first = JudgingSet.read_by(bundle, DEV, dev, tuned_on)
    further = [
        JudgingSet.read_by(bundle, path.stem, read_manifest(path), tuned_on)
        for path in plan.further_tests
        if path.is_file()
    ]
    return [first, *further]


def _read_by_halves(
    bundle: Path, reading: Reading, options: DataOptions, dev: Sequence[Utterance], say: Say
) -> JudgingSet:
    """The dev set, each half of its speakers read by a bundle tuned on the other half alone."""
    parts = halves(options.dev_speakers or sorted({u.speaker for u in dev}))
    first, second = ([u for u in dev if u.speaker in part] for part in parts)
    readers = []
    for name, tuning, judging in [("second", second, first), ("first", first, second)]:
        copy = bundle.with_name(f"tuned_on_{name}_half")
        copy_to_tune(bundle, copy)
        tune_stage(copy, reading, tuning, say)
        readers.append((copy, judging))
    return JudgingSet(DEV, dev, readers, "the other half of the speakers")


def run_leave_one_out(plan: Plan, run: Path, train: Train, say: Say, data: Path | None = None) -> dict[str, Any] | None:
    """For each speaker, train on the others and transcribe him; None when out of minutes."""
    everyone = read_manifest(str(plan.leave_one_speaker_out))
    ways: dict[str, Callable[[Vocabulary], Decoder]] = {"greedy": GreedyDecoder}
    if plan.grammar:
        ways["one of the words that can be said"] = lambda v: BeamDecoder(v, [phrases(plan.grammar, v)])
    hypotheses: dict[str, dict[str, str | AsrError]] = {way: {} for way in ways}
    runs = []
    for speaker in sorted({u.speaker for u in everyone}):
        folder = run / speaker
        if not train((), [f"run_dir={folder}", f"data.held_out_speakers=[{speaker}]"]):
            return None
        runs.append(Trained.read(folder))
        held_out = [u for u in everyone if u.speaker == speaker]
        for way, decoder_for in ways.items():
            texts = transcribe_with_checkpoint(folder, held_out, decoder_for)
            hypotheses[way] |= dict(zip((u.id for u in held_out), texts, strict=True))
        say(f"evaluate: {speaker}, whom the model has never heard, {len(held_out)} utterances")
    systems = {
        f"this recipe, {way}, speaker held out": Judged(evaluate(everyone, found), None, found)
        for way, found in hypotheses.items()
    }
    return _result(plan, systems, runs, main=next(iter(systems)))


def _summaries(systems: Mapping[str, Judged]) -> dict[str, Any]:
    return {
        name: summary_of(one.evaluation) | ({"rtf": one.rtf} if one.rtf is not None else {})
        for name, one in systems.items()
    }


def _result(plan: Plan, systems: Mapping[str, Judged], runs: Sequence[Trained], main: str) -> dict[str, Any]:
    """What results.json holds; speakers and counts are of the system ``main``."""
    record = Trained.record(runs[-1].folder)
    seconds = sum(r.seconds for r in runs)
    return {
        "recipe": plan.name,
        "systems": _summaries(systems),
        "main": main,
        "by_speaker": systems[main].evaluation.to_json(0)["by_speaker"],
        "training_minutes": round(seconds / 60, 1),
        "audio_s_per_s": round(sum(r.audio_s for r in runs) / seconds, 1),
        "resumed": sum(r.resumed for r in runs),
        "parameters": record["parameters"],
        "weights_sha256": [r.weights for r in runs],
        **_began_with(Trained.record(runs[0].folder)),
        **(now := provenance(record["seed"])),
        "commit": record["commit"],
        "evaluated_by_commit": now["commit"],
    }


def _began_with(record: Mapping[str, Any]) -> dict[str, Any]:
    """The run or bundle whose weights training began with, and the commit that had made them."""
    begun = record.get("began_with")
    if not begun:
        return {}
    made = begun.get("trained", begun)  # of a bundle's card, else a run's own record
    digest = {"weights_sha256": begun["weights_sha256"]} if "weights_sha256" in begun else {}
    return {"began_with": {"model": Path(record["config"]["init_from"]).name, "commit": made["commit"], **digest}}
