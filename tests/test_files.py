"""A file is whole or as before: after an exception, after a kill, and while it is written."""

import errno
import hashlib
import os
import re
import signal
import stat
import subprocess
import sys
import threading

import pytest

from asr.errors import ConfigError
from asr.files import sha256_of, share_folder, write_atomically, write_text

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


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_that_the_umask_leaves(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "file.txt", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "file.txt").stat().st_mode) == mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
def test_a_file_keeps_its_mode(old, mode):
    old.chmod(mode)
    write_text(old, "new")
    assert (old.read_text(), stat.S_IMODE(old.stat().st_mode)) == ("new", mode)


@pytest.fixture
def nobody(tmp_path):
    """Root, who may write any file, is nobody for a test."""
    if os.geteuid() != 0:
        yield
        return
    for folder in [tmp_path, *tmp_path.parents][:4]:
        folder.chmod(0o755)
    tmp_path.chmod(0o777)
    os.seteuid(65534)
    yield
    os.seteuid(0)


def test_a_file_without_write_permission_is_not_replaced(old, nobody):
    if old.stat().st_uid == os.geteuid():
        old.chmod(0o400)
    with pytest.raises(PermissionError, match=re.escape(str(old))):
        write_text(old, "new")
    assert os.listdir(old.parent) == [old.name]


def test_a_link_stays_one_and_its_target_is_written(old, tmp_path):
    link, dangling = tmp_path / "link.txt", tmp_path / "dangling.txt"
    link.symlink_to(old.name)
    dangling.symlink_to("elsewhere.txt")
    write_text(link, "new")
    write_text(dangling, "new too")
    assert link.is_symlink() and old.read_text() == "new"
    assert dangling.is_symlink() and (tmp_path / "elsewhere.txt").read_text() == "new too"


def test_a_pipe_is_written_into(tmp_path):
    pipe, found = tmp_path / "pipe.txt", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    write_text(pipe, "new")
    reader.join(timeout=10)
    assert found == [b"new"] and stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.mark.parametrize("name", ["/dev/null", "/dev/stdout"])
def test_a_device_and_a_standard_stream_are_written_into(tmp_path, name):
    code = "import sys; from asr.files import write_text; print(1); write_text(sys.argv[1], '2'); print(3)"
    with open(tmp_path / "out.txt", "wb") as out:
        subprocess.run([sys.executable, "-c", code, name], stdout=out, check=True)
    assert (tmp_path / "out.txt").read_text() == ("1\n23\n" if name == "/dev/stdout" else "1\n3\n")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_the_longest_name_can_be_written(tmp_path):
    write_text(tmp_path / ("é" * 125 + ".txt"), "new")
    with pytest.raises(OSError, match="File name too long") as fault:
        write_text(tmp_path / ("é" * 126 + ".txt"), "new")
    assert fault.value.filename == str(tmp_path / ("é" * 126 + ".txt"))


def test_a_full_disk_is_reported_with_the_name_of_the_file(old):
    with pytest.raises(OSError, match="No space left") as fault, write_atomically(old) as temporary:
        temporary.write_text("half of the new")
        with open("/dev/full", "w") as full:
            full.write("the rest")
    assert (fault.value.errno, fault.value.filename) == (errno.ENOSPC, str(old))
    assert old.read_text() == "old"


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
    write_text(old, "new")
    assert list(old.parent.iterdir()) == [old]


def test_what_a_living_writer_has_is_left_alone(old):
    with write_atomically(old) as first:
        first.write_text("first")
        write_text(old, "second")
        assert old.read_text() == "second" and first.read_text() == "first"
    assert old.read_text() == "first"
    assert list(old.parent.iterdir()) == [old]


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
