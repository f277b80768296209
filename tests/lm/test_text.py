"""Text files as users have them → sentences."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile

import pytest

from asr.errors import ConfigError, LanguageModelError
from asr.lm import read_sentences
from asr.lm.text import split_prose


def sentences(path, normaliser="upper_letters", **options):
    lines = "\n".join(read_sentences(path, normaliser=normaliser, **options)).split("\n")
    return [" ".join(line.split()) for line in lines if line.strip()]


@pytest.mark.parametrize(
    ("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".xz", lzma.compress), (".bz2", bz2.compress)]
)
def test_a_line_is_a_sentence_packed_or_not(tmp_path, suffix, pack):
    path = tmp_path / f"t.txt{suffix}"
    path.write_bytes(pack("\ufeffIt's one.\r\n\r\nTwo — lines!".encode()))
    assert sentences(path) == ["IT'S ONE", "TWO LINES"]
    assert sentences(path, normaliser="verbatim") == ["It's one.", "Two — lines!"]


def test_unless_another_normaliser_is_named_it_is_the_one_of_training(tmp_path):
    (tmp_path / "t.txt").write_text("Привет, Köln!\n")
    assert "".join(read_sentences(tmp_path / "t.txt")).split() == ["привет", "köln"]


def test_the_texts_of_a_manifest(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"text": "one\\ntwo", "id": "a"}\n\n{"text": "three"}\n')
    assert sentences(tmp_path / "m.jsonl") == ["ONE TWO", "THREE"]


def test_speakers_who_are_to_judge_a_model_are_left_out_of_it(tmp_path):
    lines = ['{"text": "one", "speaker": "ann"}', '{"text": "two", "speaker": "bob"}', '{"text": "three"}']
    (tmp_path / "m.jsonl").write_text("\n".join(lines))
    assert sentences(tmp_path / "m.jsonl", without_speakers=["bob"]) == ["ONE", "THREE"]


def test_the_files_of_an_archive(tmp_path):
    with tarfile.open(tmp_path / "t.tar.xz", "w:xz") as archive:
        for name, content in [("a.txt", b"one\ntwo"), ("b.jsonl", b'{"text": "three"}')]:
            member = tarfile.TarInfo(f"folder/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert sentences(tmp_path / "t.tar.xz") == ["ONE", "TWO", "THREE"]


@pytest.mark.parametrize(
    ("prose", "wanted"),
    [
        ("It was late. He\nwent home.", ["It was late.", "He went home."]),
        ("CHAPTER I\n\nIt was", ["CHAPTER I", "It was"]),
        ("Mr. Brown met Dr. J. Smith.", ["Mr. Brown met Dr. J. Smith."]),
        ('"Why?" he said. "Go!" "No."', ['"Why?" he said.', '"Go!"', '"No."']),
        ("Wait... what? In 3.5 hours.", ["Wait... what?", "In 3.5 hours."]),
        ("Он пришёл. Я ушла, и т. д. и всё.", ["Он пришёл.", "Я ушла, и т. д. и всё."]),
        ("„Geh!“ Über die Straße.", ["„Geh!“", "Über die Straße."]),
        ("Geh! Über die Straße.", ["Geh!", "Über die Straße."]),
        ("他来了。我走了！", ["他来了。", "我走了！"]),
    ],
)
def test_prose_ends_sentences_at_marks_and_blank_lines(prose, wanted):
    assert split_prose(prose).split("\n") == wanted


def test_prose_in_large_files_is_cut_at_blank_lines_alone(tmp_path):
    (tmp_path / "t.txt").write_text("They went\nhome early.\n\n" * 60_000)
    found = sentences(tmp_path / "t.txt", prose=True)
    assert (len(found), set(found)) == (60_000, {"THEY WENT HOME EARLY"})


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", b"\xff\xff", "UTF-8 text is needed"),
        ("a.txt.gz", b"plain", "cannot be read"),
        ("a.txt.xz", lzma.compress(b"one" * 1000)[:40], "cannot be read"),
        ("a.tar", b"no archive", "cannot be read"),
        ("a.jsonl", b'{"text": "a"}\n{"words": "b"}\n', "line 2: an object with 'text'"),
        ("a.jsonl", b"plain\n", "line 1: an object"),
        ("a.jsonl", b'{"text": 3}\n', "line 1: 'text' must be a string, got 3"),
    ],
)
def test_what_is_no_text_is_refused(tmp_path, name, content, reason):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LanguageModelError, match=f"{name}.*{reason}"):
        list(read_sentences(tmp_path / name))


def test_a_missing_file_and_an_unknown_normaliser_are_named(tmp_path):
    with pytest.raises(LanguageModelError, match=r"none\.txt: cannot be read"):
        list(read_sentences(tmp_path / "none.txt"))
    with pytest.raises(ConfigError, match="no text normaliser 'lower'"):
        list(read_sentences(tmp_path / "none.txt", normaliser="lower"))
