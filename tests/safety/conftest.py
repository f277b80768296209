"""Damaged and hostile inputs, tried in processes of their own, and the table of what became of them.

``pytest tests/safety --fuzz 168`` tries more of each kind, ``--fuzz-seed 3`` others, and prints the table at the end.
"""

from __future__ import annotations

import os
import resource
import runpy
import select
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from asr.bundle import load_bundle, write_decoder
from asr.decoding import DecoderSettings, PhoneSettings
from asr.errors import AsrError
from asr.lm import NgramModel, Pronunciations, train_ngram
from asr.text import Lexicon

fake = runpy.run_path(str(Path(__file__).parents[1] / "inference" / "fake_bundle.py"))

GOOD = ("text", "typed error")
BAD = ("traceback", "hang", "signal", "lost")
LIMIT_S = 60
"""Seconds of a processor after which a try hangs; by the clock it may take five times as many, on a loaded machine."""

MEMORY = 2 << 30
"""Bytes that a try may take beyond what the process has; none of the inputs is larger than some megabytes."""

_OUTCOMES: dict[str, Counter[str]] = {}


class Lost(Exception):
    """Something that was there, or should be, is not."""


class Tally:
    """Counts what became of the tries of one group, and fails the test if it was nothing good."""

    def __init__(self, group: str) -> None:
        self._counts = _OUTCOMES.setdefault(group, Counter())

    def add(self, outcome: str, what: str = "") -> None:
        """Count one outcome; ``what`` says of which try, and with which message."""
        self._counts[outcome] += 1
        assert outcome in GOOD, f"{outcome}: {what}"

    def attempt(self, act: Callable[[], object], what: str) -> str:
        """Count what becomes of ``act`` in a process of its own; return its message."""
        outcome, message = _attempt(act)
        self.add(outcome, f"{what}: {message}")
        return message


def _attempt(act: Callable[[], object]) -> tuple[str, str]:
    reader, writer = os.pipe()
    process = os.fork()
    if not process:
        os.close(reader)
        os.write(writer, _act(act).encode("utf-8", "backslashreplace")[:4000])
        os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], 5 * LIMIT_S)
        said = pipe.read().decode() if ready else ""
    if not ready:
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    if not ready:
        return "hang", f"more than {5 * LIMIT_S} s"
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return ("hang", f"more than {LIMIT_S} s") if name == "SIGXCPU" else ("signal", name)
    outcome, _, message = said.partition("\n")
    return outcome, message


def _act(act: Callable[[], object]) -> str:
    """Run ``act`` in this process, whose memory is bounded; return the outcome and a message."""
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY, taken + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_S, LIMIT_S + 1))
    try:
        return f"text\n{act()}"
    except AsrError as error:
        return f"typed error\n{error.code}: {error}"
    except Lost as lost:
        return f"lost\n{lost}"
    except BaseException as fault:
        import traceback

        return f"traceback\n{fault!r}\n{traceback.format_exc()[-3000:]}"


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Tally:
    """The tally of the group that the test's mark ``group`` names."""
    return Tally(request.node.get_closest_marker("group").args[0])


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "group(name): the row of the table of damaged inputs that a test counts in")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _OUTCOMES:
        return
    columns = ("tried", *GOOD, *BAD)
    width = max(map(len, _OUTCOMES))
    terminalreporter.section("damaged and hostile inputs")
    terminalreporter.line(f"{'group':{width}}  " + "  ".join(f"{name:>11}" for name in columns))
    for group, counts in sorted(_OUTCOMES.items()):
        numbers = [sum(counts.values()), *(counts[name] for name in columns[1:])]
        terminalreporter.line(f"{group:{width}}  " + "  ".join(f"{number:>11,}" for number in numbers))


@pytest.fixture(scope="session")
def spoken_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with all the parts that there are: it spells tones, by characters and by phones, and has words."""
    folder = fake["write_fake_bundle"](tmp_path_factory.mktemp("whole") / "tones", phones=True)
    path = folder.parent / "words.lm"
    train_ngram(["A CAGE", "CAB A CAGE", "CAB A"], order=3).save(path)
    lexicon = Lexicon({"A": (("a",),), "CAB": (("c", "a", "b"),), "CAGE": (("c", "a", "b"), ("c", "a", "g", "e"))})
    said = Pronunciations.of(NgramModel.open(path), lexicon, fake["PHONES"])
    settings = DecoderSettings(beam_width=16, priors=(-1.0,) * 9, phones=PhoneSettings(priors=(-1.0,) * 9))
    write_decoder(folder, settings, path, load_bundle(folder).card, said)
    return folder


@pytest.fixture(scope="session")
def tones() -> dict[str, object]:
    """What `fake_bundle` defines."""
    return fake
