"""Completion after Tab: bash really asks for it; the scripts of other shells name the same verbs and flags."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from asr.cli.main import VERBS, main

ASK = """
source "$0"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
COMP_LINE="$*"
COMP_POINT=${#COMP_LINE}
"$(complete -p asr | sed 's/.*-F \\([^ ]*\\).*/\\1/')" asr "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    assert main(["completion", "bash"]) == 0
    (tmp_path / "asr.bash").write_text(capsys.readouterr().out)
    return tmp_path / "asr.bash"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["tr"], {"train", "transcribe"}),
        (["transcribe", "--max"], {"--max_line_width", "--max_line_count"}),
        (["transcribe", "-f", "T"], {"TextGrid"}),
        (["transcribe", "talk"], {"talk one.wav", "talks"}),
        (["transcribe", "-o", "talk"], {"talks"}),
        (["evaluate", "talk"], {"talk one.wav", "talks"}),
        (["lm", ""], {"train", "perplexity", "tune", "convert"}),
        (["lm", "train", "--min"], {"--min_count"}),
        (["help", "ev"], {"evaluate"}),
        (["completion", "f"], {"fish"}),
    ],
)
def test_bash_completes_verbs_flags_formats_and_files(script: Path, words: list[str], found: set[str]) -> None:
    (script.parent / "talk one.wav").touch()
    (script.parent / "talks").mkdir()
    command = ["bash", "-c", ASK, str(script), "asr", *words]
    done = subprocess.run(command, cwd=script.parent, capture_output=True, text=True, check=True)
    assert {name.removesuffix("/").rstrip() for name in done.stdout.splitlines()} == found


@pytest.mark.parametrize(("shell", "begin"), [("zsh", "#compdef asr"), ("fish", "#")])
def test_other_shells_get_as_much(shell: str, begin: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    written = capsys.readouterr().out
    assert written.startswith(begin)
    assert all(verb in written for verb in VERBS) and "max_line_width" in written
    assert "initial_prompt" not in written


def test_an_unknown_shell_is_a_wrong_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "tcsh"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_help_says_more_of_a_verb_and_of_a_verb_below(capsys: pytest.CaptureFixture[str]) -> None:
    for words, begin in (["help"], "usage: asr VERB"), (["help", "lm", "train"], "usage: asr lm train"):
        assert main(words) == 0
        assert capsys.readouterr().out.startswith(begin)
    assert main(["help", "trian"]) == 2
    assert capsys.readouterr().err == "asr: no verb 'trian'; did you mean 'train'?\n"
