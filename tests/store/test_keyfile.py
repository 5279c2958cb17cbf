"""The key of a recording's replacements."""

import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from aimyproxy.errors import BrokenFile, StoreError
from aimyproxy.store.keyfile import KeyFile


@pytest.fixture
def file(tmp_path):
    return KeyFile(tmp_path / "redaction.key")


def test_a_key_is_made_once(file):
    """It is the same from then on, in every process."""
    assert file.read() is None
    key = file.made()
    assert len(key) == 32
    assert KeyFile(file.path).made() == key == file.read()


def test_only_its_owner_can_read_it(file):
    """From its first moment."""
    file.made()
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


def test_a_given_key_is_taken_where_there_is_none(file):
    """So that two recordings can agree."""
    assert file.made(b"k" * 32) == b"k" * 32
    assert file.made(b"o" * 32) == b"k" * 32


def test_of_several_at_once_one_makes_it(file):
    """And the others take that one."""
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: KeyFile(file.path).made(), range(32)))) == 1
    assert sorted(path.name for path in file.path.parent.iterdir()) == [".gitignore", "redaction.key"]


def test_git_leaves_it_alone(tmp_path):
    """In whatever repository the recording is."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    KeyFile(tmp_path / "redaction.key").made()
    listed = subprocess.run(
        ["git", "-C", tmp_path, "status", "--porcelain", "-uall"], check=True, capture_output=True, text=True
    )
    assert listed.stdout == "?? .gitignore\n"


def test_what_else_git_ignores_stays(file):
    """The line is added to the others, once."""
    ignore = file.path.with_name(".gitignore")
    ignore.write_text("*.log\n")
    file.made()
    file.path.unlink()
    file.made()
    assert ignore.read_text() == "*.log\nredaction.key\n"


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_broken_key_is_named(file, content):
    """Nobody makes a new one over it."""
    file.path.write_text(content)
    with pytest.raises(BrokenFile, match="64 hexadecimal digits"):
        file.made()


def test_a_folder_that_can_not_be_written(tmp_path):
    """The path is named."""
    with pytest.raises(StoreError, match="can't be written"):
        KeyFile(tmp_path / "missing" / "redaction.key").made()
    (tmp_path / "redaction.key").mkdir()
    with pytest.raises(StoreError, match="can't be read"):
        KeyFile(tmp_path / "redaction.key").read()


def test_a_link_that_leads_nowhere_is_no_key(file):
    """Nothing is replaced by a key that nobody keeps, or that anybody knows."""
    file.path.symlink_to(file.path.with_name("nowhere"))
    with pytest.raises(StoreError, match="is a link that leads nowhere"):
        file.made()
    assert not file.path.exists()
