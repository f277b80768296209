"""A file is whole or as before: after an exception, after a kill, and while it is written."""

import hashlib
import signal
import subprocess
import sys

import pytest

from asr.errors import ConfigError
from asr.files import sha256_of, share_folder, write_atomically

WRITE_HALF_AND_WAIT = """
import sys, time
from asr.files import write_atomically
with write_atomically(sys.argv[1]) as temporary:
    with open(temporary, "w") as file:
        file.write("half of the new")
        file.flush()
        print("writing", flush=True)
        time.sleep(60)
"""


@pytest.fixture
def old(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    return path


def test_the_new_file_takes_the_name_when_the_block_ends(old):
    with write_atomically(old) as temporary:
        temporary.write_text("new")
        assert old.read_text() == "old"
        assert temporary.parent == old.parent
    assert old.read_text() == "new"
    assert list(old.parent.iterdir()) == [old]


def test_folders_are_made(tmp_path):
    with write_atomically(tmp_path / "a" / "b" / "file.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "a" / "b" / "file.txt").read_text() == "new"


def test_others_may_read_it(tmp_path):
    with write_atomically(tmp_path / "file.txt") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "file.txt").stat().st_mode & 0o444 == 0o444


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_exception_leaves_the_old_file_and_nothing_else(old, error):
    with pytest.raises(error), write_atomically(old) as temporary:
        temporary.write_text("half of the new")
        raise error
    assert old.read_text() == "old"
    assert list(old.parent.iterdir()) == [old]


def test_a_killed_writer_leaves_the_old_file(old):
    command = [sys.executable, "-c", WRITE_HALF_AND_WAIT, str(old)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout.readline() == "writing\n"
        writer.send_signal(signal.SIGKILL)
    assert writer.returncode == -signal.SIGKILL
    assert old.read_text() == "old"
    (left,) = set(old.parent.iterdir()) - {old}
    assert left.name.startswith(".file.txt.")


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError), write_atomically(tmp_path / "folder") as temporary:
        temporary.write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_sha256_is_that_of_the_bytes(tmp_path):
    content = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(content)
    assert sha256_of(tmp_path / "file") == hashlib.sha256(content).hexdigest()
    (tmp_path / "empty").touch()
    assert sha256_of(tmp_path / "empty").startswith("e3b0c44298fc1c149afbf4c8996fb924")


@pytest.mark.parametrize("name", ["conf", "recipes"])
def test_share_folders_are_found(name):
    assert share_folder(name).is_dir()
    assert share_folder(name).name == name


def test_a_share_folder_nobody_has_is_refused():
    with pytest.raises(ConfigError, match="no folder nowhere/ in .*; install asr again"):
        share_folder("nowhere")
