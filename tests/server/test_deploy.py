"""The files of deploy/ name what there is: commands that are accepted, files that exist, versions that are locked."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from pathlib import Path

from asr.cli.serve import add_arguments

ROOT = Path(__file__).parents[2]
UNIT, DOCKERFILE = ROOT / "deploy" / "asr.service", ROOT / "deploy" / "Dockerfile"


def arguments_of(command: str | list[str]) -> argparse.Namespace:
    """The arguments of a command line of ``asr serve``; one that is not accepted ends the test."""
    words = shlex.split(command) if isinstance(command, str) else command
    assert words[0].endswith("/bin/asr") and words[1] == "serve"
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_arguments(parser)
    return parser.parse_args(words[2:])


def settings(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(encoding="utf-8"), re.M)


def test_the_unit_starts_what_is_accepted() -> None:
    (check,), (start,) = settings("ExecStartPre"), settings("ExecStart")
    assert arguments_of(check).check
    options = arguments_of(start)
    assert options.host == "127.0.0.1" and options.api_key_file and options.allow_host


def test_the_unit_waits_longer_than_requests_have() -> None:
    (wait,) = settings("TimeoutStopSec")
    assert int(wait) > 60


def test_the_image_copies_what_there_is_and_starts_what_is_accepted() -> None:
    lines = DOCKERFILE.read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert all((ROOT / name).exists() for names in copied for name in names)
    (entry,) = (json.loads(line.removeprefix("ENTRYPOINT ")) for line in lines if line.startswith("ENTRYPOINT "))
    assert arguments_of(entry).host == "0.0.0.0"
    (health,) = (line for line in lines if line.startswith("HEALTHCHECK "))
    compile(json.loads(health.partition("CMD ")[2])[2], "HEALTHCHECK", "exec")


def test_the_locked_versions_are_those_that_are_tested() -> None:
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^[a-z0-9.-]+==\S+", (ROOT / name).read_text(encoding="utf-8"), re.M))

    served = pins("requirements-serve.txt")
    assert pins("requirements.txt") < served < pins("requirements-dev.txt")
    assert any(pin.startswith("starlette==") for pin in served)
