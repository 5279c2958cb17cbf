"""What record and replay write is their owner's, and who listens where others reach it is told."""

from __future__ import annotations

import stat

from tests.e2e.replays import replaying
from tests.e2e.test_record import BOT, ECHO, recorder
from tests.processes import Upstream, answering, eventually, post

OTHERS = "Other machines can reach http://0.0.0.0:"


def test_recordings_are_their_owners_whatever_the_umask(tmp_path):
    """The shadow's, too; while they grow and afterwards."""
    root = tmp_path / "recordings"
    with Upstream(answering(ECHO)) as upstream:
        with recorder(root, upstream.url, "--shadow", upstream.url, umask=0) as (process, port):
            post(port, BOT)
            eventually(lambda: len(upstream.requests) == 2, "the shadow's request")
            assert process.stop() == 0
    found = {path.relative_to(root).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in root.rglob("*")}
    folders, files = ("shop", "shop@shadow"), ("shop/exchanges.json", "shop@shadow/exchanges.json")
    assert {name: mode for name, mode in found.items() if name in (*folders, *files)} == {
        **dict.fromkeys(folders, 0o700),
        **dict.fromkeys(files, 0o600),
    }
    assert all(mode in (0o600, 0o700) for mode in found.values())
    assert stat.S_IMODE(root.stat().st_mode) == 0o700


def test_record_tells_who_else_can_read_and_reach(tmp_path):
    """A recording that others can read, an address that others can reach without TLS; loopback is no news."""
    with Upstream(answering(ECHO)) as upstream:
        with recorder(tmp_path, upstream.url) as (process, port):
            post(port, BOT)
            assert process.stop() == 0
        assert not any("Other" in line for line in process.stderr)
        (tmp_path / "shop").chmod(0o755)
        (tmp_path / "shop" / "exchanges.json").chmod(0o644)
        with recorder(tmp_path, upstream.url, "--listen", "0.0.0.0:0") as (process, _):
            assert process.stop() == 0
    folder = tmp_path / "shop"
    assert f"Other users of this machine can read {folder}; `chmod -R go= {folder}` keeps them out." in process.stderr
    assert any(line.startswith(OTHERS) and "--cert and --key" in line for line in process.stderr)
    assert any(line.startswith("Whoever finds the address can call it") for line in process.stderr)
    assert stat.S_IMODE((folder / "exchanges.json").stat().st_mode) == 0o644


def test_replay_tells_who_else_can_reach_it_and_its_admin_surface(shop):
    """Each by its address."""
    options = ("--listen", "0.0.0.0:0", "--admin", "0.0.0.0:0", "--secret-path", "/k3J9")
    with replaying(shop, *options) as (process, _):
        assert process.stop() == 0
    warned = [line for line in process.stderr if line.startswith(OTHERS)]
    assert ["what users write" in line for line in warned] == [True, False]
    assert "can read the token" in warned[1]
    assert not any("Whoever" in line for line in process.stderr)
