"""Archives that are damaged, hostile or hungry: all of one is unpacked, or nothing, and never beside its folder."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import runpy
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asr.corpora.extract import extract

damage = runpy.run_path(str(Path(__file__).with_name("damage.py")))
pytestmark = pytest.mark.group("archives")
PACKERS = {"tar": bytes, "tar.gz": gzip.compress, "tar.bz2": bz2.compress, "tar.xz": lzma.compress}
FILES = {f"L/{name}": name.encode() * 700 for name in ("a", "b/c", "b/d", "README")}


def packed(*members: tarfile.TarInfo, format: int = tarfile.PAX_FORMAT) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=format) as tar:
        for name, content in FILES.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for member in members:
            tar.addfile(member)
    return made.getvalue()


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def unpack(archive: Path, folder: Path) -> str:
    extract(archive, folder)
    return f"{len(tree(folder))} files"


def tried(content: bytes, folder: Path, suffix: str, tally: Any, what: str) -> str:
    """Unpack, and see that there is all or nothing, and nothing beside."""
    target = folder / "corpora"
    target.mkdir(parents=True)
    archive = folder / f"a.{suffix}"
    archive.write_bytes(content)
    message = tally.attempt(lambda: unpack(archive, target), what)
    whole = set(p.name for p in folder.iterdir()) == {"corpora", archive.name}
    if not whole or (not message.endswith("files") and any(target.iterdir())):
        tally.add("lost", f"{what}: {message}: {sorted(folder.rglob('*'))}")
    return message


def test_damaged_ones(tmp_path: Path, fuzz: Any, tally: Any) -> None:
    for number, draw in enumerate(fuzz.draws()):
        suffix = draw.choice(sorted(PACKERS))
        content = packed(format=draw.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)))
        if number % 2:
            content = PACKERS[suffix](damage["damage_bytes"](content, draw))
        else:
            content = damage["damage_bytes"](PACKERS[suffix](content), draw)
        tried(content, tmp_path / str(number), suffix, tally, f"draw {number}: {suffix}")


def property_of(name: str, value: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo("L/x")
    member.pax_headers = {name: value}
    return member


def linked(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


def _record(size: int) -> bytes:
    """A long name that is said to have ``size`` bytes, and has them, all but nothing once compressed."""
    member = tarfile.TarInfo("././@LongLink")
    member.type, member.size = tarfile.GNUTYPE_LONGNAME, size
    return member.tobuf(tarfile.GNU_FORMAT) + bytes(size)


HOSTILE: dict[str, Callable[[], bytes]] = {
    **{
        f"{name} {value[:12]}": lambda name=name, value=value: packed(property_of(name, value))
        for name, value in [
            ("mtime", "nan"),
            ("mtime", "inf"),
            ("mtime", "-1e300"),
            ("mtime", "1e30"),
            ("mtime", "x"),
            ("size", "-5"),
            ("size", "999999999999999"),
            ("size", "9" * 5000),
            ("uid", "nan"),
            ("path", "../../evil"),
            ("path", "/tmp/evil"),
            ("path", "L/" + "d/" * 100_000 + "x"),
            ("path", "L/" + "n" * 300),
            ("path", "L/\x1b[2J"),
            ("path", "L/a/under-a-file"),
            ("path", "L"),
            ("path", "."),
            ("path", ""),
            ("linkpath", "/etc/passwd"),
            ("GNU.sparse.map", "0,1,a"),
            ("GNU.sparse.major", "1"),
            ("hdrcharset", "BINARY"),
        ]
    },
    **{
        f"link {kind!r} {name}": lambda kind=kind, name=name: packed(linked(name, kind, "/etc/passwd"))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.BLKTYPE)
        for name in ("L/link", "L/a", "L")
    },
    "a folder and a file of one name": lambda: packed(linked("L/a", tarfile.DIRTYPE)),
    "a file and a folder of one name": lambda: packed(linked("L/b", tarfile.REGTYPE)),
    "a long name of 16 MB": lambda: gzip.compress(_record(1 << 24) + packed(), 1),
    "a folder in each of five hundred members": lambda: gzip.compress(
        b"".join(linked(f"L/{number}", tarfile.DIRTYPE).tobuf() for number in range(500))
    ),
    "a bomb": lambda: bz2.compress(packed(_big(1 << 31)) + bytes(8 << 20)),
    "nothing": lambda: b"",
    "a page": lambda: b"<html>moved</html>",
    "xz without end": lambda: lzma.compress(packed())[:-20] + bytes(64),
}


def _big(size: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo("L/big")
    member.size = size
    return member


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_ones(name: str, tmp_path: Path, tally: Any) -> None:
    tried(HOSTILE[name](), tmp_path / "x", "tar", tally, name)


@pytest.mark.parametrize(("there", "kind"), [("L/a", "folder"), ("L/b", "file"), ("L", "file"), ("L/a", "link")])
def test_what_is_in_the_way_stops_all_of_it_before_anything_is_moved(
    there: str, kind: str, tmp_path: Path, tally: Any
) -> None:
    target = tmp_path / "corpora"
    place = target / there
    place.parent.mkdir(parents=True)
    if kind == "folder":
        place.mkdir()
        (place / "mine").write_text("mine")
    elif kind == "link":
        (tmp_path / "outside").write_text("mine")
        place.symlink_to(tmp_path / "outside")
    else:
        place.write_text("mine")
    before = tree(tmp_path)
    (tmp_path / "a.tar").write_bytes(packed())
    message = tally.attempt(lambda: unpack(tmp_path / "a.tar", target), f"{kind} at {there}")
    assert "is something else; move that away; nothing was unpacked" in message
    assert {name: text for name, text in tree(tmp_path).items() if name != "a.tar"} == before


def test_random_headers(tmp_path: Path, fuzz: Any, tally: Any) -> None:
    for number, draw in enumerate(fuzz.draws()):
        content = bytearray(packed())
        heads = [i for i in range(0, len(content), 512) if content[i + 257 : i + 262] == b"ustar"]
        head = draw.choice(heads)
        _change(content, head, draw)
        tried(bytes(content), tmp_path / str(number), "tar", tally, f"draw {number}")


def _change(content: bytearray, head: int, draw: random.Random) -> None:
    """Change a header's field, and make its checksum agree."""
    at, size = draw.choice(((0, 100), (100, 8), (124, 12), (136, 12), (156, 1), (157, 100), (345, 155)))
    new = draw.choice(
        (b"\xff" * size, bytes(size), b"7" * size, draw.randbytes(size), b"../" * 60, b"\x80" + b"\xff" * 11)
    )
    content[head + at : head + at + size] = new[:size].ljust(size, b"\0")
    content[head + 148 : head + 156] = b" " * 8
    total = sum(content[head : head + 512])
    content[head + 148 : head + 156] = f"{total:06o}\0 ".encode()
