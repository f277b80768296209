"""`asr evaluate`, its arguments to its output; models are stood in for, but not what scores them."""

import argparse
import json
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

import asr.inference.decoding_options  # noqa: F401  # the stand-in for asr.inference has no such module to find
from asr.card import PartFigures
from asr.cli.evaluate import add_arguments, run
from asr.data import Utterance, write_manifest
from asr.distribution import install_command
from asr.errors import AudioEmptyError, BundleNotFoundError, ConfigError, EvaluationError, MissingExtraError
from asr.evaluation.hypotheses import HypothesisWord, read_hypothesis_words
from asr.inference.transcript import Segment, Transcript, Word
from asr.provenance import provenance
from asr.run_record import DataFigures, RunRecord, StoredSetup
from asr.text import NORMALISERS

SAMPLE = Path(__file__).parents[1] / "recordings" / "sample.wav"

TEXTS = {"a1": "YES IT IS", "a2": "NO NO", "b1": "GO ROME"}


def parser():
    made = argparse.ArgumentParser(prog="asr evaluate")
    add_arguments(made)
    return made


def evaluate(*arguments):
    return run(parser().parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def manifest(tmp_path):
    rows = [("a1", "Yes, it is.", "anna"), ("a2", "No", "anna"), ("b1", "Go home now", "bert")]
    write_manifest(tmp_path / "m.jsonl", [Utterance(i, f"/{i}.wav", 1.0, t, s) for i, t, s in rows])
    return tmp_path / "m.jsonl"


@pytest.fixture
def text_pair(tmp_path):
    (tmp_path / "r.txt").write_text("Yes, it is.\nGo home now\n")
    (tmp_path / "h.txt").write_text("YES IT IS\nGO ROME\n")
    return tmp_path / "r.txt", tmp_path / "h.txt"


def spoken(text):
    """``text`` as a transcript, a word a second; an error as it is."""
    if not isinstance(text, str):
        return text
    words = tuple(Word(word, at, at + 1.0, 0.75) for at, word in enumerate(text.split()))
    return Transcript(text, (Segment(0.0, 9.0, text, words),), 9.0)


@pytest.fixture
def model(monkeypatch):
    """A stand-in for ``asr.inference``: ``load_model`` notes the name and gives the texts it is told."""
    stand_in = types.ModuleType("asr.inference")
    stand_in.asked, stand_in.texts = [], list(TEXTS.values())

    class Transcriber:
        def transcribe_utterances(self, utterances, salvage):
            assert [utterance.id for utterance in utterances] == list(TEXTS)
            return map(spoken, stand_in.texts)

    def load_model(name=None, **options):
        stand_in.asked.append(name)
        return Transcriber()

    stand_in.load_model = load_model
    monkeypatch.setitem(sys.modules, "asr.inference", stand_in)
    return stand_in


def answer(capsys):
    return json.loads(capsys.readouterr().out)


def test_two_text_files_are_scored_line_by_line(text_pair, capsys):
    assert evaluate(*text_pair, "--json") == 0
    result = answer(capsys)
    assert (result["wer"]["rate"], result["wer"]["reference_length"]) == (2 / 6, 6)
    assert result["normaliser"] == "letters_and_digits"
    assert result["verbatim"]["wer"]["rate"] == 1.0


def test_people_see_per_cent_and_the_worst_aligned(text_pair, capsys):
    assert evaluate(*text_pair) == 0
    output = capsys.readouterr().out
    assert "33.33" in output
    assert "REF  go home now\nHYP  go rome ***\n" in output
    assert "\x1b" not in output


def test_text_files_with_ids_and_speakers(tmp_path, capsys):
    (tmp_path / "r").write_text("a-1 YES\na-2 NO\nb-1 GO\n")
    (tmp_path / "h").write_text("b-1 GO\na-1 YES\na-2 NOT\n")
    evaluate(tmp_path / "r", tmp_path / "h", "--ids", "--speakers", "--json")
    assert [s["speaker"] for s in answer(capsys)["by_speaker"]] == ["a", "b"]


def test_line_counts_that_differ_are_refused(text_pair):
    text_pair[1].write_text("YES IT IS\n")
    with pytest.raises(EvaluationError, match=r"2 lines, .* 1"):
        evaluate(*text_pair)


@pytest.mark.parametrize("flags", [[], ["--model", "an4"]])
def test_a_manifest_is_transcribed_by_the_named_or_the_default_bundle(manifest, model, capsys, flags):
    assert evaluate(manifest, *flags, "--json") == 0
    assert model.asked == [flags[1] if flags else None]
    result = answer(capsys)
    assert (result["wer"]["rate"], result["model"]) == (3 / 7, model.asked[0])
    assert result["wer"]["interval"]["over"] == "speakers"


@pytest.mark.parametrize("source", ["texts", "manifest"])
def test_the_seed_reaches_the_bootstrap(manifest, text_pair, model, capsys, source):
    evaluate(*(text_pair if source == "texts" else [manifest]), "--seed", 7, "--json")
    assert answer(capsys)["wer"]["interval"]["seed"] == 7


def test_a_recording_that_fails_is_counted_and_listed(manifest, model, capsys):
    model.texts[0] = AudioEmptyError("a1.wav: 0 bytes")
    assert evaluate(manifest, "--json") == 0
    result = answer(capsys)
    assert result["wer"]["deletions"] == 4
    assert result["failures"] == [{"id": "a1", "code": "audio-empty", "message": "a1.wav: 0 bytes"}]


def test_if_every_recording_fails_so_does_the_evaluation(manifest, model, capsys):
    model.texts = [AudioEmptyError("0 bytes")] * 3
    assert evaluate(manifest, "--json") == 1
    assert answer(capsys)["wer"]["rate"] == 1


def test_hypotheses_that_cannot_be_written_are_scored_all_the_same(manifest, model, capsys):
    assert evaluate(manifest, "-o", "/dev/full", "--json") == 1
    printed = capsys.readouterr()
    assert json.loads(printed.out)["wer"]["insertions"] == 1
    assert printed.err == "asr: error[evaluation]: /dev/full: cannot be written: No space left on device\n"


def test_a_file_that_is_read_is_not_written_over(manifest, model, tmp_path):
    evaluate(manifest, "-o", tmp_path / "kept.jsonl")
    for arguments in ["-o", manifest], ["--hypotheses", tmp_path / "kept.jsonl", "--report", tmp_path / "kept.jsonl"]:
        with pytest.raises(ConfigError, match="jsonl that is read; write another"):
            evaluate(manifest, *arguments)


def test_a_report_is_written_though_nobody_reads_the_table(text_pair, tmp_path):
    command = '"$0" -m asr evaluate r.txt h.txt --report'
    line = f"{command} out.html | true; {command} b.html >&-"
    done = subprocess.run(["sh", "-c", line, sys.executable], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert all("</html>" in (tmp_path / name).read_text() for name in ("out.html", "b.html"))
    assert [line.split(": ")[:2] for line in done.stderr.splitlines()] == [
        ["out.html", "0.0 MB, 0 of 2 recordings"],
        ["b.html", "0.0 MB, 0 of 2 recordings"],
        ["asr", "error[system]"],
    ]


def test_kept_hypotheses_score_the_same_without_the_model(manifest, model, tmp_path, capsys):
    model.texts[0] = AudioEmptyError("a1.wav: 0 bytes")
    evaluate(manifest, "--json", "-o", tmp_path / "kept.jsonl")
    first = answer(capsys)
    evaluate(manifest, "--json", "--hypotheses", tmp_path / "kept.jsonl")
    again = answer(capsys)
    assert model.asked == [None]
    differing = {key for key in first if first[key] != again[key]}
    assert differing == {"hypotheses"}


def test_a_model_is_scored_by_its_own_normaliser_and_its_kept_hypotheses_as_well(manifest, model, tmp_path, capsys):
    write_manifest(manifest, [Utterance(i, f"/{i}.wav", 1.0, "Café", "anna") for i in TEXTS])
    model.texts[:] = ["CAFE"] * 3
    evaluate(manifest, "--json", "-o", tmp_path / "kept.jsonl")
    first = answer(capsys)
    evaluate(manifest, "--json", "--hypotheses", tmp_path / "kept.jsonl")
    for found in (first, answer(capsys)):
        assert (found["normaliser"], found["wer"]["rate"]) == ("upper_letters", 0)
    (tmp_path / "others.jsonl").write_text("".join(json.dumps({"id": i, "text": "CAFE"}) + "\n" for i in TEXTS))
    evaluate(manifest, "--json", "--hypotheses", tmp_path / "others.jsonl")
    found = answer(capsys)
    assert (found["normaliser"], found["wer"]["rate"]) == ("letters_and_digits", 1)


def test_a_run_is_scored_by_its_own_normaliser(manifest, tmp_path, monkeypatch, capsys):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    stand_in = types.ModuleType("asr.training.evaluate")
    stand_in.transcribe_with_checkpoint = lambda folder, utterances: [u.text for u in utterances]
    monkeypatch.setitem(sys.modules, "asr.training", types.ModuleType("asr.training"))
    monkeypatch.setitem(sys.modules, "asr.training.evaluate", stand_in)
    figures = PartFigures(1, 1.0, 1, "a")
    record = RunRecord(
        **provenance(0),
        tensorflow="2",
        config={"data": {"normaliser": "letters"}},
        data=DataFigures(figures, figures),
        parameters=1,
    )
    content = StoredSetup({}, "letters", record).to_json()
    for stored in (content, {key: value for key, value in content.items() if key != "normaliser"}):
        (tmp_path / "run" / "setup.json").write_text(json.dumps(stored))
        evaluate(manifest, "--model", tmp_path / "run", "--json")
        assert answer(capsys)["normaliser"] == "letters"
    (tmp_path / "run" / "setup.json").write_text("{}")
    with pytest.raises(ConfigError, match="does not say how its texts are written; name a --normaliser"):
        evaluate(manifest, "--model", tmp_path / "run")


def test_digits_are_scored_or_said(tmp_path, capsys):
    (tmp_path / "r.txt").write_text("room 101\n")
    (tmp_path / "h.txt").write_text("room 999\n")
    pair = (tmp_path / "r.txt", tmp_path / "h.txt")
    evaluate(*pair, "--json")
    assert answer(capsys)["wer"]["rate"] == 0.5
    evaluate(*pair, "--normaliser", "upper_letters", "--json")
    assert [loss["count"] for loss in answer(capsys)["lost"]["references"]] == [3]
    evaluate(*pair, "--normaliser", "upper_letters")
    assert "Not scored: upper_letters leaves out of the references digits: 3" in capsys.readouterr().out


def test_a_script_that_the_normaliser_lacks_is_no_rate_of_zero(tmp_path):
    (tmp_path / "r.txt").write_text("Привет, мир\n")
    (tmp_path / "h.txt").write_text("пока\n")
    with pytest.raises(EvaluationError, match="upper_letters leaves no word of the references"):
        evaluate(tmp_path / "r.txt", tmp_path / "h.txt", "--normaliser", "upper_letters")


def test_words_are_kept_with_their_confidence(manifest, model, tmp_path):
    model.texts[0] = AudioEmptyError("a1.wav: 0 bytes")
    evaluate(manifest, "-o", tmp_path / "kept.jsonl")
    kept = read_hypothesis_words(tmp_path / "kept.jsonl")
    assert kept["a2"] == (HypothesisWord("NO", 0.0, 1.0, 0.75), HypothesisWord("NO", 1.0, 2.0, 0.75))
    assert kept.keys() == {"a2", "b1"}


def test_a_report_shows_model_manifest_and_recordings(manifest, model, tmp_path, capsys):
    rows = [Utterance(name, str(SAMPLE), 1.5, "Yes", "anna") for name in TEXTS]
    write_manifest(manifest, rows)
    evaluate(manifest, "--model", "an4", "--report", tmp_path / "out.html", "--report_audio", 2)
    page = (tmp_path / "out.html").read_text()
    assert "<title>an4 on m.jsonl</title>" in page
    assert f"<dt>manifest</dt><dd>{manifest}</dd>" in page
    assert page.count("data:audio/ogg") == 2
    assert "expected calibration error" in page
    assert "2 of 3 recordings" in capsys.readouterr().err


def test_a_report_of_recordings_that_cannot_be_read_is_written_without_them(manifest, model, tmp_path):
    evaluate(manifest, "--report", tmp_path / "out.html")
    assert "No recordings in this page." in (tmp_path / "out.html").read_text()


def test_a_report_of_text_files_has_neither_recordings_nor_seconds(text_pair, tmp_path):
    evaluate(*text_pair, "--report", tmp_path / "out.html")
    page = (tmp_path / "out.html").read_text()
    assert "<title>h on r.txt</title>" in page
    assert "3 to 5 words" in page


def test_other_systems_are_shown_beside(manifest, model, tmp_path):
    (tmp_path / "hmm.jsonl").write_text("".join(json.dumps({"id": i, "text": "Go"}) + "\n" for i in TEXTS))
    beside = ["--beside", f"HMM={tmp_path / 'hmm.jsonl'}", "--beside", f"old=x={tmp_path / 'hmm.jsonl'}"]
    with pytest.raises(EvaluationError, match="cannot be read"):
        evaluate(manifest, "--report", tmp_path / "out.html", *beside)
    assert model.asked == []
    evaluate(manifest, "--report", tmp_path / "out.html", *beside[:2])
    assert '<th scope="row">HMM</th>' in (tmp_path / "out.html").read_text()


def test_hypotheses_beside_of_other_utterances_are_refused_by_their_file(manifest, model, tmp_path):
    (tmp_path / "hmm.jsonl").write_text('{"id": "zz", "text": ""}\n')
    with pytest.raises(EvaluationError, match=r"hmm\.jsonl does not fit .*m\.jsonl: 3 ids have no hypothesis"):
        evaluate(manifest, "--report", tmp_path / "o.html", "--beside", f"HMM={tmp_path / 'hmm.jsonl'}")
    assert model.asked == []


@pytest.mark.parametrize("named", ["hmm.jsonl", "=hmm.jsonl", "HMM="])
def test_a_system_beside_needs_a_name_and_a_file(manifest, named):
    with pytest.raises(ConfigError, match="NAME=FILE.jsonl"):
        evaluate(manifest, "--report", "out.html", "--beside", named)


def test_systems_of_one_name_are_refused_before_any_work(manifest, model, tmp_path):
    (tmp_path / "hmm.jsonl").write_text("".join(json.dumps({"id": i, "text": "Go"}) + "\n" for i in TEXTS))
    with pytest.raises(ConfigError, match="need different names, got an4, an4"):
        evaluate(manifest, "--report", tmp_path / "o.html", "--beside", f"an4={tmp_path / 'hmm.jsonl'}")
    assert model.asked == []


def test_hypotheses_of_other_utterances_are_refused(manifest, tmp_path):
    (tmp_path / "h.jsonl").write_text('{"id": "zz", "text": ""}\n')
    with pytest.raises(EvaluationError, match="have no hypothesis: a1, a2, b1"):
        evaluate(manifest, "--hypotheses", tmp_path / "h.jsonl")


def test_a_run_folder_is_transcribed_by_its_checkpoints(manifest, tmp_path, monkeypatch, capsys):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    stand_in = types.ModuleType("asr.training.evaluate")
    stand_in.transcribe_with_checkpoint = lambda folder, utterances: [u.text for u in utterances]
    monkeypatch.setitem(sys.modules, "asr.training", types.ModuleType("asr.training"))
    monkeypatch.setitem(sys.modules, "asr.training.evaluate", stand_in)
    evaluate(manifest, "--model", tmp_path / "run", "--json")
    assert answer(capsys)["wer"]["rate"] == 0


def test_checkpoints_without_tensorflow_say_what_to_install(manifest, tmp_path, monkeypatch):
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    monkeypatch.setitem(sys.modules, "asr.training.evaluate", None)
    with pytest.raises(MissingExtraError, match=re.escape(install_command("train"))):
        evaluate(manifest, "--model", tmp_path / "run")


def test_an_unknown_bundle_is_not_a_run(manifest, model, monkeypatch):
    def load_model(name, **options):
        raise BundleNotFoundError(f"no bundle {name}")

    monkeypatch.setattr(model, "load_model", load_model)
    with pytest.raises(BundleNotFoundError):
        evaluate(manifest, "--model", "nobody")


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        (["r", "h", "--model", "an4"], "leave --model and --hypotheses out"),
        (["r", "h", "--hypotheses", "x"], "leave --model and --hypotheses out"),
        (["r", "h", "-o", "x"], "no model is asked"),
        (["m", "--hypotheses", "x", "-o", "y"], "no model is asked"),
        (["m", "--ids"], "describe two text files"),
        (["m", "--speakers"], "describe two text files"),
        (["m", "-o", "/"], "/ is a folder"),
        (["m", "--report", "/"], "--report needs a file"),
        (["m", "--beside", "A=b"], "name it with --report"),
        (["m", "--report_audio", "0"], "name it with --report"),
        (["r", "h", "--report", "x", "--beside", "A=b"], "need a manifest"),
        (["r", "h", "--report", "x", "--report_audio", "1"], "need a manifest"),
        (["m", "--normaliser", "lower"], "no text normaliser 'lower'"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused_before_any_work(flags, reason):
    with pytest.raises(ConfigError, match=reason):
        evaluate(*flags)


@pytest.mark.parametrize("value", ["-1", "1.5", "many"])
def test_counts_are_whole_numbers(value, capsys):
    with pytest.raises(SystemExit):
        evaluate("m", "--worst", value)
    assert "a whole number, 0 or more" in capsys.readouterr().err


def test_help_names_every_normaliser():
    assert all(name in parser().format_help() for name in NORMALISERS)


@pytest.mark.parametrize("name", NORMALISERS)
def test_every_normaliser_can_be_chosen(text_pair, capsys, name):
    evaluate(*text_pair, "--normaliser", name, "--json")
    assert answer(capsys)["normaliser"] == name


def imported_after(statement):
    code = f"import sys\n{statement}\nprint(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_help_needs_no_numpy():
    assert not {"numpy", "jiwer", "rich", "asr.text"} & imported_after(
        "import argparse, asr.cli.evaluate as e; e.add_arguments(argparse.ArgumentParser())"
    )


def test_text_files_need_no_model_and_no_audio(text_pair):
    lines = "import argparse, asr.cli.evaluate as e; p = argparse.ArgumentParser(); e.add_arguments(p)"
    run_it = f"{lines}\ne.run(p.parse_args({[str(path) for path in text_pair]!r}))"
    heavy = {"jinja2", "onnxruntime", "tensorflow", "librosa", "soundfile", "soxr", "asr.inference", "asr.audio"}
    assert not heavy & imported_after(run_it)


@pytest.mark.real_data
def test_published_transcripts_are_read_as_they_are(real_data, tmp_path, capsys):
    """LibriSpeech's trans.txt is ``ID TEXT``: against itself without error; one word in ten dropped, 10 per cent."""
    lines = [
        line
        for path in sorted((real_data / "LibriSpeech").rglob("*.trans.txt"))
        for line in path.read_text().splitlines()
    ]
    words = [word for line in lines for word in line.split()[1:]]
    kept = iter([word if i % 10 else None for i, word in enumerate(words)])
    dropped = [[line.split()[0], *(next(kept) for _ in line.split()[1:])] for line in lines]
    (tmp_path / "ref").write_text("\n".join(lines))
    (tmp_path / "hyp").write_text("\n".join(" ".join(filter(None, line)) for line in dropped))

    evaluate(tmp_path / "ref", tmp_path / "ref", "--ids", "--speakers", "--json")
    assert answer(capsys)["wer"]["rate"] == 0
    evaluate(tmp_path / "ref", tmp_path / "hyp", "--ids", "--speakers", "--json")
    result = answer(capsys)
    assert result["wer"]["deletions"] == -(-len(words) // 10)
    assert len(result["by_speaker"]) == len({line.split("-")[0] for line in lines})
    assert result["verbatim"]["wer"] == result["wer"]


@pytest.mark.real_data
def test_an4_transcripts_are_trn(real_data, tmp_path, capsys):
    """``TEXT (ID)``, with a first line that is empty."""
    published = (real_data / "an4" / "etc" / "an4_test.transcription").read_text()
    (tmp_path / "r.trn").write_text(published)
    evaluate(tmp_path / "r.trn", tmp_path / "r.trn", "--json")
    result = answer(capsys)
    assert (result["utterances"], result["wer"]["rate"]) == (published.count("("), 0)
