"""Shards: whole or not there, found by what a recording holds, readable while others write."""

from __future__ import annotations

import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from asr.data import Utterance, feature_cache
from asr.data.feature_cache import front_end_folder, read_shards, utterance_keys, write_shards
from asr.errors import CacheError
from asr.features import LogMel, Mfcc

BANDS = 3
OLD_S = 2 * 24 * 3600


def features(number: int) -> np.ndarray:
    """(T, 3), every value and the length told by ``number``."""
    return np.full((1 + number % 7, BANDS), number, np.float32)


def entries(*numbers: int) -> Iterator[tuple[str, np.ndarray]]:
    yield from ((str(n), features(n)) for n in numbers)


def found(folder: Path, *numbers: int) -> dict[str, np.ndarray]:
    return read_shards(folder, BANDS, [str(n) for n in numbers])


def age(path: Path) -> None:
    os.utime(path, (time.time() - OLD_S, time.time() - OLD_S))


def writer(folder: Path, body: str) -> subprocess.Popen:
    """A process that has ``features`` and ``write_shards``, with shards of a hundred bytes."""
    code = (
        "import sys, time; from pathlib import Path; import numpy as np; from asr.data import feature_cache as cache\n"
        "cache._SHARD_BYTES = 100; folder = Path(sys.argv[1])\n"
        "features = lambda n: np.full((1 + n % 7, 3), n, np.float32)\n"
    )
    return subprocess.Popen([sys.executable, "-c", code + body, str(folder)], stdout=subprocess.PIPE, text=True)


# What was written is read.


def test_what_was_written_is_read_to_the_bit(tmp_path: Path) -> None:
    written = {str(n): np.random.default_rng(n).normal(size=(n + 1, BANDS)).astype(np.float32) for n in range(20)}
    write_shards(tmp_path, written.items())
    read = read_shards(tmp_path, BANDS, written)
    assert read.keys() == written.keys()
    assert all(np.array_equal(read[key], written[key]) for key in written)


def test_features_are_mapped_and_read_only(tmp_path: Path) -> None:
    write_shards(tmp_path, entries(5))
    with pytest.raises(ValueError, match="read-only"):
        found(tmp_path, 5)["5"][0, 0] = 1


def test_a_full_shard_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feature_cache, "_SHARD_BYTES", 100)
    write_shards(tmp_path, entries(*range(50)))
    assert len(list(tmp_path.glob("*.f32"))) > 5
    assert len(found(tmp_path, *range(50))) == 50


def test_only_what_is_wanted_is_found(tmp_path: Path) -> None:
    write_shards(tmp_path, entries(1, 2, 3))
    assert found(tmp_path, 2, 4).keys() == {"2"}


def test_nothing_to_write_writes_nothing(tmp_path: Path) -> None:
    write_shards(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_two_writers_of_the_same_leave_one_shard(tmp_path: Path) -> None:
    write_shards(tmp_path, entries(1, 2))
    write_shards(tmp_path, entries(1, 2))
    assert len(list(tmp_path.iterdir())) == 2


# Several at once, and one that dies.


def test_readers_see_whole_shards_while_two_writers_write(tmp_path: Path) -> None:
    """Each reading finds at least what the one before found, every value right, and in the end everything."""
    body = "cache.write_shards(folder, ((str(n), features(n)) for n in range({}, 400, 2)))"
    seen: list[int] = []
    with writer(tmp_path, body.format(0)) as even, writer(tmp_path, body.format(1)) as odd:
        while even.poll() is None or odd.poll() is None:
            read = found(tmp_path, *range(400))
            assert all(np.array_equal(matrix, features(int(key))) for key, matrix in read.items())
            seen.append(len(read))
    assert (even.returncode, odd.returncode) == (0, 0)
    assert seen == sorted(seen)
    assert len(found(tmp_path, *range(400))) == 400


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A folder with one whole shard, whose writer got SIGKILL amid the next."""
    body = (
        "def slow():\n"
        "    yield '1', np.full((9, 3), 1, np.float32)\n"
        "    yield '2', features(2)\n"
        "    print('amid', flush=True); time.sleep(60); yield '3', features(3)\n"
        "cache.write_shards(folder, slow())"
    )
    with writer(tmp_path, body) as process:
        assert process.stdout
        assert process.stdout.readline() == "amid\n"
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    return tmp_path


def test_of_a_killed_writer_only_whole_shards_count(killed: Path) -> None:
    assert found(killed, 1, 2, 3).keys() == {"1"}
    write_shards(killed, entries(2, 3))
    assert found(killed, 1, 2, 3).keys() == {"1", "2", "3"}


def test_what_a_killed_writer_left_goes_with_the_next_write(killed: Path) -> None:
    leftovers = [p for p in killed.iterdir() if p.name.startswith(".")]
    assert len(leftovers) == 1
    write_shards(killed, entries(2))
    assert not leftovers[0].exists()  # nobody holds its lock


def test_a_shard_without_its_index_does_not_count_and_goes_when_it_is_old(tmp_path: Path) -> None:
    """Killed between the two renames."""
    write_shards(tmp_path, entries(1))
    next(tmp_path.glob("*.json")).unlink()
    assert found(tmp_path, 1) == {}
    age(next(tmp_path.glob("*.f32")))
    write_shards(tmp_path, [])
    assert list(tmp_path.iterdir()) == []


def test_whole_shards_stay_however_old(tmp_path: Path) -> None:
    write_shards(tmp_path, entries(1))
    for path in tmp_path.iterdir():
        age(path)
    write_shards(tmp_path, [])
    assert found(tmp_path, 1).keys() == {"1"}


# Damage.


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "a bit of the frames": lambda index: flip(index.with_suffix(".f32")),
    "a bit of the index": flip,
    "frames cut": lambda index: os.truncate(index.with_suffix(".f32"), 16),
    "frames cut amid a number": lambda index: os.truncate(index.with_suffix(".f32"), 15),
    "frames empty": lambda index: index.with_suffix(".f32").write_bytes(b""),
    "index cut": lambda index: os.truncate(index, 3),
    "index of another form": lambda index: index.write_text("[1]"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_shard_is_removed_and_the_others_count(
    damage: Callable[[Path], object], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_shards(tmp_path, entries(10, 11))
    index = next(tmp_path.glob("*.json"))
    write_shards(tmp_path, entries(12))
    damage(index)
    with caplog.at_level(logging.WARNING):
        assert found(tmp_path, 10, 11, 12).keys() == {"12"}
    assert [f"{index.stem}.f32 is damaged" in m for m in caplog.messages] == [True]
    assert len(list(tmp_path.iterdir())) == 2
    write_shards(tmp_path, entries(10, 11))
    assert found(tmp_path, 10, 11, 12).keys() == {"10", "11", "12"}


def test_a_shard_that_another_reader_just_removed_is_no_fault(tmp_path: Path) -> None:
    write_shards(tmp_path, entries(1))
    next(tmp_path.glob("*.f32")).unlink()
    assert found(tmp_path, 1) == {}


def test_a_full_disk_is_one_line_that_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CacheError, match=r"cannot be written \(No space left on device\); make room.*cache_dir=null$"):
        write_shards(tmp_path / "cache", entries(1))
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_file_in_the_folders_place_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("mine")
    with pytest.raises(CacheError, match="cannot be written"):
        write_shards(tmp_path / "cache", entries(1))


# Keys.


@pytest.fixture
def recording(tmp_path: Path) -> Utterance:
    path = tmp_path / "a.wav"
    path.write_bytes(b"some audio")
    age(path)
    return Utterance("u", str(path), 1.5, "A", "s", offset=0.5)


def key(utterance: Utterance, tmp_path: Path) -> str | None:
    return utterance_keys([utterance], tmp_path / "cache")[0]


def test_a_key_is_of_the_audio_and_the_span_and_nothing_else(recording: Utterance, tmp_path: Path) -> None:
    copy = tmp_path / "copy.wav"
    copy.write_bytes(b"some audio")
    before = key(recording, tmp_path)
    assert key(replace(recording, id="v", text="B", speaker="t", audio_filepath=str(copy)), tmp_path) == before
    others = {key(replace(recording, **change), tmp_path) for change in ({"offset": 0.6}, {"duration": 1.4})}
    assert len({before, *others}) == 3


def test_other_audio_of_the_same_size_has_another_key(recording: Utterance, tmp_path: Path) -> None:
    before = key(recording, tmp_path)
    Path(recording.audio_filepath).write_bytes(b"more audio")
    assert key(recording, tmp_path) != before


def test_a_recording_that_cannot_be_read_has_no_key(recording: Utterance, tmp_path: Path) -> None:
    gone, folder = (replace(recording, audio_filepath=str(tmp_path / name)) for name in ("gone.wav", ""))
    odd = replace(recording, audio_filepath="a\0b")
    assert utterance_keys([gone, folder, odd], tmp_path / "cache") == [None] * 3


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths that were hashed."""
    paths: list[str] = []
    whole = feature_cache.sha256_of
    monkeypatch.setattr(feature_cache, "sha256_of", lambda path: paths.append(path) or whole(path))
    return paths


def test_a_recording_is_hashed_once_as_long_as_it_stays(
    recording: Utterance, tmp_path: Path, hashed: list[str]
) -> None:
    spans = [recording, replace(recording, offset=3.0)]
    first = utterance_keys(spans, tmp_path / "cache")
    assert utterance_keys(spans, tmp_path / "cache") == first
    assert hashed == [recording.audio_filepath]


def test_a_recording_changed_just_now_is_hashed_again(recording: Utterance, tmp_path: Path, hashed: list[str]) -> None:
    """It may change once more within its timestamp's grain."""
    os.utime(recording.audio_filepath)
    assert key(recording, tmp_path) == key(recording, tmp_path)
    assert len(hashed) == 2


def test_a_damaged_memory_of_recordings_is_made_anew(recording: Utterance, tmp_path: Path) -> None:
    before = key(recording, tmp_path)
    (tmp_path / "cache" / "recordings.json").write_text('{"')
    assert key(recording, tmp_path) == before


def test_another_front_end_has_another_folder(tmp_path: Path) -> None:
    kinds = [LogMel(), LogMel(n_mels=41), LogMel(fmin_hz=30), LogMel(hop_length=161), LogMel(window="hamming")]
    kinds += [LogMel(top_db=80), LogMel(margin=1), LogMel(sample_rate=8000), Mfcc(), Mfcc(delta_order=1)]
    folders = [front_end_folder(tmp_path, kind.front_end()) for kind in kinds]
    assert len(set(folders)) == len(kinds)
    assert front_end_folder(tmp_path, LogMel().front_end()) == folders[0]
