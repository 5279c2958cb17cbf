from __future__ import annotations

import pytest

from aimyproxy.admin.hosts import Hosts

LOOPBACK = Hosts("127.0.0.1", "127.0.0.1", 9090)
NAMED = Hosts("Mock.test", "10.0.0.7", 9090)
EVERYWHERE = Hosts("0.0.0.0", "0.0.0.0", 9090)


@pytest.mark.parametrize("header", ["127.0.0.1:9090", "localhost:9090", "LOCALHOST:9090", "[::1]:9090"])
def test_loopback_is_known_by_its_names(header):
    """And by no other port."""
    assert LOOPBACK.own(header)
    assert not LOOPBACK.own(header.replace("9090", "9091"))


@pytest.mark.parametrize(
    "header", ["", ":", ":9090", "evil.test:9090", "127.0.0.1", "10.0.0.7:9090", "localhost.evil:9090"]
)
def test_what_a_page_may_be_called_is_not_ours(header):
    """Nor is a Host without the port."""
    assert not LOOPBACK.own(header)


def test_the_name_that_the_user_gave_is_ours():
    """As is the address that it stands for."""
    assert NAMED.own("mock.test:9090")
    assert NAMED.own("10.0.0.7:9090")
    assert not NAMED.own("other.test:9090")


@pytest.mark.parametrize("header", ["10.0.0.7:19090", "[fe80::1]:9090", "localhost:19090", "192.168.0.2"])
def test_who_listens_everywhere_is_known_by_every_address(header):
    """Behind the port of a container, too; but by no name, which a page could make up."""
    assert EVERYWHERE.own(header)
    assert Hosts("::", "::", 9090).own(header)
    assert not EVERYWHERE.own("evil.test:9090")


def test_the_port_of_http_goes_without_saying():
    """Clients leave it out."""
    for header in ("127.0.0.1", "[::1]", "localhost:80"):
        assert Hosts("127.0.0.1", "127.0.0.1", 80).own(header)
