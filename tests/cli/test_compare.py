"""`asr compare`, from files to a verdict."""

import json
import subprocess
import sys

import pytest

from asr.cli.main import main
from asr.data import Utterance, write_manifest
from asr.errors import AudioEmptyError
from asr.evaluation import write_hypotheses

TEXT = "the cat sat on the mat"


@pytest.fixture
def files(tmp_path):
    utterances = [Utterance(f"u{i}", f"/u{i}.wav", 1.0, TEXT, f"s{i % 6}") for i in range(48)]
    write_manifest(tmp_path / "m.jsonl", utterances)
    write_hypotheses(tmp_path / "a.jsonl", {u.id: TEXT for u in utterances})
    write_hypotheses(
        tmp_path / "b.jsonl", {u.id: "the cat" for u in utterances[:30]} | {f"u{i}": TEXT for i in range(30, 48)}
    )
    return tmp_path


def compare(folder, *arguments):
    return main(["compare", *(str(folder / a) if a[0] != "-" and "." in a else a for a in arguments)])


def test_the_verdict_is_in_words(files, capsys):
    assert compare(files, "a.jsonl", "b.jsonl", "--manifest", "m.jsonl") == 0
    output = capsys.readouterr().out
    assert output.splitlines()[-1] == "A is better than B: it makes fewer word errors."
    assert "\x1b" not in output
    compare(files, "a.jsonl", "a.jsonl", "--manifest", "m.jsonl")
    assert capsys.readouterr().out.splitlines()[-1].startswith("No difference can be claimed: ")


def test_json_has_what_was_compared(files, capsys):
    assert compare(files, "b.jsonl", "a.jsonl", "--manifest", "m.jsonl", "--json", "--seed", "7") == 0
    result = json.loads(capsys.readouterr().out)
    assert result["better"] == "B"
    assert result["files"] == {"a": str(files / "b.jsonl"), "b": str(files / "a.jsonl")}
    assert result["difference"]["interval"]["seed"] == 7


def test_failed_hypotheses_are_deletions(files, capsys):
    write_hypotheses(files / "b.jsonl", {f"u{i}": AudioEmptyError("empty") for i in range(48)})
    compare(files, "a.jsonl", "b.jsonl", "--manifest", "m.jsonl", "--json")
    result = json.loads(capsys.readouterr().out)
    assert (result["b"]["wer"]["deletions"], len(result["b"]["failures"])) == (48 * 6, 48)


@pytest.mark.parametrize(
    ("suffix", "line", "flags"),
    [("txt", "{}", []), ("txt", "s{1}-{1} {0}", ["--ids", "--speakers"]), ("trn", "{} (u{})", [])],
)
def test_text_files_are_compared_as_evaluate_reads_them(tmp_path, capsys, suffix, line, flags):
    for name, texts in {"r": ["a b", "c d"], "a": ["a b", "c"], "b": ["a", ""]}.items():
        lines = [line.format(text, number) + "\n" for number, text in enumerate(texts)]
        (tmp_path / f"{name}.{suffix}").write_text("".join(lines))
    assert compare(tmp_path, f"a.{suffix}", f"b.{suffix}", "--reference", f"r.{suffix}", *flags, "--json") == 0
    result = json.loads(capsys.readouterr().out)
    assert [result[system]["wer"]["deletions"] for system in "ab"] == [1, 3]


def test_the_file_whose_ids_differ_is_named(files, capsys):
    (files / "c.jsonl").write_text('{"id": "u1", "text": ""}\n{"id": "zz", "text": ""}\n')
    assert compare(files, "a.jsonl", "c.jsonl", "--manifest", "m.jsonl") == 1
    error = capsys.readouterr().err
    assert (
        f"asr: error[evaluation]: {files / 'c.jsonl'} beside {files / 'm.jsonl'}: 47 ids have no hypothesis: u0, "
        in error
    )


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (["a.jsonl", "b.jsonl"], 2, "--manifest"),
        (["a.jsonl", "--manifest", "m.jsonl"], 2, "required: B"),
        (["a.jsonl", "none.jsonl", "--manifest", "m.jsonl"], 1, "error[evaluation]"),
        (["a.jsonl", "b.jsonl", "--manifest", "none.jsonl"], 1, "error[manifest]"),
        (["a.jsonl", "m.jsonl", "--manifest", "a.jsonl"], 1, "error[manifest]"),
        (["a.jsonl", "b.jsonl", "--manifest", "m.jsonl", "--ids"], 1, "m.jsonl is a manifest"),
        (["a.jsonl", "b.jsonl", "--manifest", "m.jsonl", "--normaliser", "lower"], 1, "error[config]"),
    ],
)
def test_what_cannot_be_compared_is_refused(files, capsys, arguments, code, reason):
    assert compare(files, *arguments) == code
    assert reason in capsys.readouterr().err


def test_help_needs_no_numpy():
    code = "import sys, argparse, asr.cli.compare as c; c.add_arguments(argparse.ArgumentParser()); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "jiwer", "rich", "asr.text"} & set(done.stdout.split())


def test_systems_that_write_alike_are_compared_as_they_write(tmp_path, capsys):
    manifest, a, b = (tmp_path / name for name in ("m.jsonl", "a.jsonl", "b.jsonl"))
    write_manifest(manifest, [Utterance(f"u{i}", f"{i}.wav", 1.0, "Café", f"s{i}") for i in range(4)])
    texts = {f"u{i}": "CAFE" for i in range(4)}

    def compared():
        assert main(["compare", str(a), str(b), "--manifest", str(manifest), "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        return found["normaliser"], found["a"]["wer"]["rate"]

    write_hypotheses(a, texts, normaliser="upper_letters")
    write_hypotheses(b, texts, normaliser="upper_letters")
    assert compared() == ("upper_letters", 0)
    write_hypotheses(b, texts)
    assert compared() == ("letters_and_digits", 1)
