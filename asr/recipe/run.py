"""The stages of a recipe in order: train → export → tune → evaluate. Each does only the work that is not yet done."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from asr.bundle import load_bundle
from asr.data import Utterance, read_manifest, write_manifest
from asr.decoding import BeamDecoder, Decoder, GreedyDecoder
from asr.decoding.grammar import phrases
from asr.errors import AsrError, ConfigError
from asr.evaluation import evaluate
from asr.inference.decoding_options import Decoding
from asr.recipe.conditions_stage import in_condition
from asr.recipe.evaluate_stage import (
    Evaluated,
    EvaluationSet,
    compared_with,
    evaluate_bundle,
    evaluate_peers,
    evaluate_ways,
    evaluation_sets,
    ways_to_decode,
)
from asr.recipe.export_stage import PRECISIONS, export_stage
from asr.recipe.language_model_stage import LanguageModel, make_language_model
from asr.recipe.plan import Plan
from asr.recipe.results import FurtherResults, LanguageModelFigures, Origin, Results, SystemScores, rows_of
from asr.recipe.train_stage import Train, TrainedRun, data_options, round_figures, train_rounds
from asr.recipe.tune_stage import DecodingPlan, note_test
from asr.text import Vocabulary
from asr.training.evaluate import transcribe_with_checkpoint

Say = Callable[[str], None]


def run_stages(plan: Plan, run: Path, train: Train, say: Say, data: Path | None = None) -> Results | None:
    """Run all stages after that of preparation.

    Args:
        plan: the stages to run.
        run: the folder of the run, or of one run for each speaker.
        train: a function that trains with the recipe's settings.
        say: a function that takes a line about each stage.
        data: the folder of the corpora, as in ``Plan.text``.

    Returns:
        The results; None when training ran out of minutes, and the same call then continues it.
    """
    if plan.leave_one_speaker_out:
        return _leave_one_out(plan, plan.leave_one_speaker_out, run, train, say)
    return _one_model(plan, run, train, say, data)


def _one_model(plan: Plan, run: Path, train: Train, say: Say, data: Path | None) -> Results | None:
    """Train one model, export it, evaluate the bundle."""
    trained = train_rounds(plan, run, train)
    if not trained:
        return None
    options = data_options(run)
    learned, dev = options.split()
    bundle = export_stage(plan, trained[-1], plan.test or _dev_manifest(run, dev), say)
    model = decoding_plan = None
    if plan.language_model:
        text = plan.text(data)
        model = make_language_model(plan.language_model, text, run, learned, dev, options.normaliser, say)
        decoding_plan = DecodingPlan(model.path, plan.width, plan.lexicon)
    tests = evaluation_sets(plan, bundle, decoding_plan, dev, options.held_out(), options.dev_speakers, say)
    say(f"evaluate: {', '.join(f'{len(test.utterances)} utterances of {test.name}' for test in tests)}")
    ways = ways_to_decode(plan, model)
    found = {test.name: evaluate_ways(test, ways, run / "hypotheses") for test in tests}
    systems = found[tests[0].name]
    main = next(reversed(systems))
    if model and plan.test_on_dev:
        note_test(bundle, systems[main].evaluation, tests[0].tuned_on)
    results = _results(plan, systems, trained, main)
    if plan.test_on_dev or len(tests) > 1 or plan.conditions:
        further = {t.name: _further(t, found[t.name]) for t in tests[1:]}
        further |= _in_conditions(plan, tests[0], main, ways, run, data, say)
        results = replace(results, test_set=tests[0].figures(), further=further)
    return replace(
        results,
        rounds=round_figures(trained),
        peers=_peers(plan, tests, found, main, say),
        language_model=_kept(model, bundle) if model else None,
    )


def _dev_manifest(run: Path, dev: Sequence[Utterance]) -> Path:
    """Write the dev set as a manifest of its own, for the export and for peers to be measured on."""
    if not dev:
        raise ConfigError("test_on_dev needs a dev set; name data.dev or data.dev_speakers")
    path = run / "dev.jsonl"
    write_manifest(path, [replace(u, audio_filepath=os.path.abspath(u.audio_filepath)) for u in dev])
    return path


def _further(test: EvaluationSet, systems: Mapping[str, Evaluated]) -> FurtherResults:
    return FurtherResults(**asdict(test.figures()), systems=_scores(systems))


def _in_conditions(
    plan: Plan,
    test: EvaluationSet,
    main: str,
    ways: Mapping[str, tuple[str, Decoding]],
    run: Path,
    data: Path | None,
    say: Say,
) -> dict[str, FurtherResults]:
    """Return the scores of the main way to decode on the main test set in each condition."""
    *_, (_, decoding) = ways.values()
    further = {}
    for number, condition in enumerate(plan.conditions, start=1):
        say(f"evaluate: {test.name}, {condition.name}")
        altered = in_condition(test, condition, plan.noise(condition, data), run / "conditions" / str(number))
        further[altered.name] = _further(altered, {main: evaluate_bundle(altered, PRECISIONS[-1], decoding)})
    return further


def _peers(
    plan: Plan,
    tests: Sequence[EvaluationSet],
    found: Mapping[str, Mapping[str, Evaluated]],
    main: str,
    say: Say,
) -> dict[str, dict[str, SystemScores]] | None:
    """Return the peers that were measured, by test set, each compared with our main system."""
    peers: dict[str, dict[str, SystemScores]] = {}
    for name, system, scores in evaluate_peers(plan.peers, tests, say):
        peers.setdefault(name, {})[system] = compared_with(scores, found[name][main].evaluation, main)
    return peers or None


def _kept(model: LanguageModel, bundle: Path) -> LanguageModelFigures:
    """Return the figures of the language model, with the decoder weights in the final bundle."""
    opened = load_bundle(bundle)
    decoder = opened.decoder
    return replace(
        model.figures,
        weights=asdict(decoder.weights),
        phone_weights=asdict(decoder.phones.weights) if decoder.phones else None,
        beam_width=decoder.beam_width,
        tuned_on=opened.card.decoder.dev if opened.card.decoder else None,
    )


def _leave_one_out(plan: Plan, manifest: Path, run: Path, train: Train, say: Say) -> Results | None:
    """Train, for each speaker, a model on all others, and transcribe that speaker with it."""
    everyone = read_manifest(manifest)
    ways: dict[str, Callable[[Vocabulary], Decoder]] = {"greedy": GreedyDecoder}
    if plan.grammar:
        ways["one of the words that can be said"] = lambda v: BeamDecoder(v, [phrases(plan.grammar, v)])
    hypotheses: dict[str, dict[str, str | AsrError]] = {way: {} for way in ways}
    runs = []
    for speaker in sorted({u.speaker for u in everyone}):
        folder = run / speaker
        if not train((), [f"run_dir={folder}", f"data.held_out_speakers=[{speaker}]"]):
            return None
        runs.append(TrainedRun.read(folder))
        held_out = [u for u in everyone if u.speaker == speaker]
        for way, decoder_for in ways.items():
            texts = transcribe_with_checkpoint(folder, held_out, decoder_for)
            hypotheses[way] |= dict(zip((u.id for u in held_out), texts, strict=True))
        say(f"evaluate: {speaker}, whom the model has never heard, {len(held_out)} utterances")
    normaliser = data_options(runs[-1].folder).normaliser
    systems = {
        f"this recipe, {way}, speaker held out": Evaluated(evaluate(everyone, found, normaliser), None, found)
        for way, found in hypotheses.items()
    }
    return _results(plan, systems, runs, main=next(iter(systems)))


def _scores(systems: Mapping[str, Evaluated]) -> dict[str, SystemScores]:
    return {name: one.scores() for name, one in systems.items()}


def _results(plan: Plan, systems: Mapping[str, Evaluated], runs: Sequence[TrainedRun], main: str) -> Results:
    """Return the results that every recipe has; speakers and counts are those of the system ``main``."""
    seconds = sum(one.seconds for one in runs)
    origin = Origin.now(runs[-1].seed, runs[-1].commit)
    return Results(
        **asdict(origin),
        recipe=plan.name,
        systems=_scores(systems),
        main=main,
        by_speaker=rows_of(systems[main].evaluation),
        training_minutes=round(seconds / 60, 1),
        audio_s_per_s=round(sum(one.audio_s for one in runs) / seconds, 1),
        resumed=sum(one.resumed for one in runs),
        parameters=runs[-1].parameters,
        weights_sha256=[one.weights for one in runs],
        began_with=runs[0].began_with,
    )
