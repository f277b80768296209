"""The command line around the verbs: help, version, mistakes, errors and exit codes."""

from __future__ import annotations

import subprocess
import sys
import time
import types

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
