"""Whenever a verb that writes is killed, or its disk is full, each output is the old one, the new one, or not there."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile

from asr.data import Utterance, write_manifest

PROGRAM = Path(__file__).with_name("stopped_verb.py")
KILLED = 77
OLD = "old\n"
fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))

VERBS = {
    "transcribe": ("transcribe in -o out -f json,txt --model tones --threads 1", ["out/a.json", "out/b.txt"]),
    "evaluate": ("evaluate m.jsonl --model tones -o out.jsonl --report out.html", ["out.jsonl", "out.html"]),
    "align": ("align m.jsonl --model tones -o out.ctm", ["out.ctm"]),
    "align each": ("align m.jsonl --model tones -o out", ["out/a.json", "out/b.json"]),
    "cut": ("align m.jsonl --model tones --cut BAD -o out.jsonl", ["out.jsonl"]),
    "prepare": ("prepare folder in -o out", ["out/all.jsonl", "out/summary.json"]),
    "lm": ("lm train in/a.txt in/b.txt -o out.lm", ["out.lm"]),
    "arpa": ("lm train in/a.txt in/b.txt -o out.arpa.gz", ["out.arpa.gz"]),
    "lexicon": ("lexicon m.jsonl -o out.lexicon", ["out.lexicon"]),
}
"""Command line, and outputs."""


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with recordings, their texts, a manifest and a bundle."""
    folder = tmp_path_factory.mktemp("work")
    fake["write_fake_bundle"](folder / "tones")
    (folder / "in").mkdir()
    utterances = []
    for name, text in {"a": "BAD CAB", "b": "A FACE"}.items():
        samples = fake["speak"](text)
        soundfile.write(folder / "in" / f"{name}.wav", samples, 16_000)
        (folder / "in" / f"{name}.txt").write_text(f"{text}\n")
        utterances.append(Utterance(name, f"in/{name}.wav", len(samples) / 16_000, text, name))
    write_manifest(folder / "m.jsonl", utterances)
    return folder


def without_time(content: str) -> str:
    """A file without the date, which differs from run to run."""
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "DATE", content)


@pytest.mark.parametrize("how", ["kill", "full"])
@pytest.mark.parametrize("verb", VERBS)
def test_an_output_is_old_or_new_or_not_there(work: Path, verb: str, how: str) -> None:
    """Of two outputs one was there before; of one alone, where the verb is killed."""
    line, outputs = VERBS[verb]
    before = {outputs[0 if how == "kill" else 1]: OLD} if len(outputs) > 1 or how == "kill" else {}
    for name in outputs:
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).unlink(missing_ok=True)
    for name, content in before.items():
        (work / name).write_text(content)
    command = [sys.executable, str(PROGRAM), how, str(work), *line.split()]
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (done.returncode, "Traceback" in done.stderr) == (0, False), done.stderr
    *stopped, whole = map(json.loads, done.stdout.splitlines())
    assert whole["code"] == 0, done.stderr
    assert len(stopped) >= (3 if how == "kill" else 1) * len(outputs)
    for run in stopped:
        assert run["code"] == (KILLED if how == "kill" else 1)
        for name in outputs:
            found = run["files"].get(name)
            assert found == before.get(name) or without_time(found) == without_time(whole["files"][name]), name
    if how == "full":
        _assert_named(outputs, stopped, done.stderr)


def _assert_named(outputs: list[str], stopped: list[dict], stderr: str) -> None:
    """Each command has named what it could not write, and has left nothing temporary."""
    told = re.findall(r"error\[[\w-]+\]: (\S+?): .*No space left on device", stderr)
    assert len(told) >= len(stopped) and set(outputs) <= set(told)
    assert not [name for run in stopped for name in run["files"] if "asr-tmp" in name]
