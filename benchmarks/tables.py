"""Where each benchmark's table stands in benchmarks/README.md: between two comments with the script's name."""

from __future__ import annotations

from pathlib import Path

from asr.files import write_atomically


def write_table(script: str, text: str) -> None:
    """Print ``text``, and put it between the comments of ``script``, such as ``cells.py``."""
    print(text)
    begin, end = f"<!-- {script} -->", f"<!-- end of {script} -->"
    path = Path(__file__).parent / "README.md"
    page = path.read_text(encoding="utf-8")
    with write_atomically(path) as temporary:
        temporary.write_text(f"{page.split(begin)[0]}{begin}\n{text}\n{end}{page.split(end)[1]}", encoding="utf-8")
