"""The command line around the verbs: help, version, mistakes, errors and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import types
from pathlib import Path

import pytest

from asr import __version__
from asr.cli.main import VERBS, main
from asr.errors import AudioEmptyError


def asr(*arguments: str, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "asr", *arguments], capture_output=True, text=True, **more)


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A verb ``try`` of which a test says what it does."""
    module = types.ModuleType("a_verb", "Tries.")
    module.add_arguments = lambda parser: parser.add_argument("--times", type=int, default=1)
    module.run = lambda arguments: arguments.times
    monkeypatch.setitem(sys.modules, "a_verb", module)
    monkeypatch.setitem(VERBS, "try", ("a_verb", "try it"))
    return module


def raising(error: BaseException):
    def run(_: object) -> int:
        raise error

    return run


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"asr {__version__}\n"


@pytest.mark.parametrize(("argv", "code"), [([], 2), (["--help"], 0), (["-h"], 0)])
def test_help_lists_every_verb(argv: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == code
    out = capsys.readouterr().out
    assert all(f"  {verb} " in out and line in out for verb, (_, line) in VERBS.items())


def test_a_mistyped_verb_is_told_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trnascribe"]) == 2
    assert capsys.readouterr().err == "asr: no verb 'trnascribe'; did you mean 'transcribe'?\n"


def test_a_verb_unlike_any_is_told_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["xyz"]) == 2
    assert "there are prepare, train, export, transcribe" in capsys.readouterr().err


def test_a_verb_gets_its_arguments_and_gives_the_exit_code(verb: types.ModuleType) -> None:
    assert main(["try", "--times", "7"]) == 7


def test_a_verb_may_read_its_own_command_line(verb: types.ModuleType) -> None:
    verb.run_raw = lambda argv: len(argv)
    assert main(["try", "model.layers=3", "--cfg", "job"]) == 3


def test_wrong_arguments_are_2_and_help_is_0(verb: types.ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["try", "--tmes", "7"]) == 2
    assert capsys.readouterr().err == "asr try: there is no --tmes, did you mean --times?; asr try --help says more\n"
    assert main(["try", "--help"]) == 0
    assert "Tries." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("transcribe a.wav --lexicon w.txt", "there is no --lexicon, did you mean --words?"),
        ("transcribe a.wav --beam_width=8", "there is no --beam_width, did you mean --beam_size?"),
        ("transcribe a.wav --threads -1", "argument --threads: a whole number, 0 or more, is needed, got '-1'"),
        ("models a b", "one argument too many: 'b'"),
        ("lm trian x", "did you mean train?"),
    ],
)
def test_a_wrong_flag_is_one_line_with_the_nearest_right_one(line: str, said: str) -> None:
    done = asr(*line.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr


def test_an_error_is_one_line_with_its_code(verb: types.ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    verb.run = raising(AudioEmptyError("a.wav: the file is empty (0 bytes)"))
    assert main(["try"]) == 1
    assert capsys.readouterr().err == "asr: error[audio-empty]: a.wav: the file is empty (0 bytes)\n"


def test_what_the_system_refuses_is_one_line_too(verb: types.ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    verb.run = lambda _: open("/proc/nowhere/a.srt", "w")
    assert main(["try"]) == 1
    assert capsys.readouterr().err == "asr: error[system]: /proc/nowhere/a.srt: No such file or directory\n"


def test_ctrl_c_is_130(verb: types.ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    verb.run = raising(KeyboardInterrupt())
    assert main(["try"]) == 130
    assert capsys.readouterr().err == "asr: interrupted\n"


def test_a_mistake_of_ours_keeps_its_traceback(verb: types.ModuleType) -> None:
    verb.run = raising(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["try"])


def test_a_reader_that_leaves_early_is_no_error() -> None:
    code = (
        "import sys; from asr.cli import main as m; m._dispatch = lambda a: print('x' * 10**6) or 0; sys.exit(m.main())"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout and process.stderr
    process.stdout.read(10)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 0


def in_shell(line: str, **more: object) -> subprocess.CompletedProcess[bytes]:
    """Run a line of the shell in which ``$ASR`` is this program."""
    environment = os.environ | {"ASR": f"{sys.executable} -m asr"}
    return subprocess.run(["sh", "-c", line], env=environment, capture_output=True, **more)


@pytest.mark.parametrize(
    ("streams", "code", "said"),
    [
        ("<&-", 0, b""),
        ("2>&-", 0, b""),
        (">&-", 1, b"asr: error[system]: standard output: Bad file descriptor\n"),
        ("> /dev/full", 1, b"asr: error[system]: standard output: No space left on device\n"),
        ("> /dev/full 2>&-", 1, b""),
    ],
)
def test_a_missing_or_full_stream_is_an_error_only_where_it_is_needed(streams: str, code: int, said: bytes) -> None:
    for arguments in ("--help", "models", "lm train --help"):
        done = in_shell(f"$ASR {arguments} {streams}")
        assert (done.returncode, done.stderr) == (code, said)


def test_no_file_takes_the_place_of_a_missing_stream(tmp_path: Path) -> None:
    """With stdout closed, the first file that is opened would get its number, and what is printed."""
    (tmp_path / "t.txt").write_text("ONE TWO\nTWO\n")
    for streams in (">&-", "<&- >&- 2>&-"):
        done = in_shell(f"$ASR lm train t.txt -o t.arpa {streams}", cwd=tmp_path)
        assert done.returncode == 0 and (tmp_path / "t.arpa").read_text().startswith("\\data\\\nngram 1=5\n")


def test_an_encoding_without_our_signs_gets_others() -> None:
    done = in_shell("PYTHONIOENCODING=latin-1 $ASR train --help")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"..." in in_shell("PYTHONIOENCODING=latin-1 $ASR --help").stdout


def test_a_name_that_is_not_utf_8_is_printed_as_it_is(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.wav")
    with open(Path(__file__).parents[1] / "recordings" / "sample.wav", "rb") as sample:
        (tmp_path / name).write_bytes(sample.read())
    (tmp_path / os.fsdecode(b"\xff.wav")).touch()
    strict = "PYTHONIOENCODING=utf-8:strict $ASR transcribe *.wav"
    done = in_shell(strict, cwd=tmp_path)
    assert done.returncode == 1 and done.stdout.startswith(b"caf\xe9.wav\t")
    assert done.stderr == b"asr: error[audio-empty]: \xff.wav: the file is empty (0 bytes)\n"
    assert json.loads(in_shell(f"{strict} -f json", cwd=tmp_path).stdout)["path"] == name
    assert in_shell(f"{strict} -f ctm -o out", cwd=tmp_path).returncode == 1
    assert (tmp_path / "out" / "café.ctm".encode("latin-1").decode("utf-8", "surrogateescape")).read_bytes()[
        :6
    ] == b"caf\xe9 1"


def test_python_m_asr_is_asr() -> None:
    done = asr("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"asr {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--help"], ["transcribe", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; from asr.cli.main import main; main({arguments}); "
        "heavy = {'numpy', 'onnxruntime', 'soundfile', 'rich', 'tensorflow', 'hydra', 'omegaconf'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_help_starts_fast() -> None:
    """Under 0.3 s: the best of three, as other work may share the machine."""
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        assert asr("transcribe", "--help").returncode == 0
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 0.3
