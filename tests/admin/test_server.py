"""An admin surface's server, over a socket."""

from __future__ import annotations

import socket
import urllib.request

from aimyproxy.admin.hosts import Hosts
from aimyproxy.admin.server import in_a_thread
from aimyproxy.admin.surface import Surface
from aimyproxy.sockets import address_of, listening_socket
from tests.processes import eventually


def has_ended(connection):
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_connections_that_somebody_leaves_make_room_for_new_ones():
    """They are no way to take all files of the process that serves the bot; who comes then is answered."""
    with listening_socket("127.0.0.1", 0) as listener:
        surface = Surface({}, "s3cret", Hosts.of("127.0.0.1", listener), lambda: True, print)
        with in_a_thread(surface, listener):
            address = listener.getsockname()
            left = [socket.create_connection(address) for _ in range(150)]
            for connection in left:
                connection.setblocking(False)
            try:
                eventually(lambda: sum(map(has_ended, left)) == 50, "an end of those that are too many")
                with urllib.request.urlopen(f"http://{address_of(listener)}/health", timeout=10) as answer:
                    assert answer.status == 200
                assert sum(map(has_ended, left)) <= 51
            finally:
                for connection in left:
                    connection.close()
