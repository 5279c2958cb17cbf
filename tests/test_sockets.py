from __future__ import annotations

import resource
import socket
import subprocess
import sys

import pytest

from aimyproxy.errors import ListenError
from aimyproxy.sockets import _sentence, address_of, is_loopback, leads_to, listening_socket, most_connections


def test_port_0_picks_a_free_one():
    """The address says which, and one can connect to it."""
    with listening_socket("127.0.0.1", 0) as listener:
        host, _, port = address_of(listener).rpartition(":")
        assert host == "127.0.0.1"
        socket.create_connection((host, int(port))).close()


def test_a_port_in_use_is_told_in_a_sentence():
    """With what to do about it."""
    with listening_socket("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ListenError) as caught:
            listening_socket("127.0.0.1", port)
    advice = "stop the other program or choose another address with --listen."
    assert str(caught.value) == f"127.0.0.1:{port} is in use; {advice}"


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a" * 70 + ".example"])
def test_somebody_elses_address_is_refused(host):
    """Only this machine's own can be listened on."""
    with pytest.raises(ListenError, match="no address of this machine"):
        listening_socket(host, 0)


def test_any_other_trouble_is_a_sentence_too():
    """With the system's own words where we have none."""
    assert "choose a port from 1024 on with --admin" in _sentence(
        "127.0.0.1:80", PermissionError(13, "denied"), "--admin"
    )
    assert "can't be listened on (odd)" in _sentence("127.0.0.1:80", OSError(999, "odd"), "--listen")


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_an_ipv6_address_is_spelled_as_in_urls():
    """In brackets."""
    try:
        listener = listening_socket("::1", 0)
    except ListenError:
        pytest.skip("no IPv6 here")
    with listener:
        assert address_of(listener).startswith("[::1]:")


@pytest.mark.parametrize(
    ("address", "alone"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("localhost", True),
        ("localhost.example.com", False),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.1", False),
        ("fe80::1%eth0", False),
    ],
)
def test_loopback_is_for_this_machine_alone(address, alone):
    """In every spelling."""
    assert is_loopback(address) is alone


def test_the_limit_of_files_is_raised():
    """Each connection needs one for the bot and one for the webhook."""
    script = (
        "import resource\n"
        "from aimyproxy.sockets import most_connections\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (100, 1100))\n"
        "print(most_connections(), resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "500 (1100, 1100)\n"


def test_without_a_limit_there_is_still_one(monkeypatch):
    """Memory has an end, too."""
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: infinite)
    monkeypatch.setattr(resource, "setrlimit", lambda *_: None)
    assert most_connections() == 10_000


@pytest.mark.parametrize(
    ("listen", "host", "port", "same"),
    [
        (("127.0.0.1", 80), "127.0.0.1", 80, True),
        (("127.0.0.1", 80), "LocalHost", 80, True),
        (("localhost", 80), "127.0.0.1", 80, True),
        (("0.0.0.0", 80), "localhost", 80, True),
        (("::", 80), "::1", 80, True),
        (("127.0.0.1", 80), "127.0.0.1", 81, False),
        (("127.0.0.1", 80), "127.0.0.2", 80, False),
        (("127.0.0.1", 80), "hook.example.com", 80, False),
        (("0.0.0.0", 80), "hook.example.com", 80, False),
    ],
)
def test_who_would_ask_itself_is_known(listen, host, port, same):
    """As far as addresses tell; a name may lead anywhere."""
    assert leads_to(listen, host, port) is same
