from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest

from aimyproxy.proxy.frames import Frame, Kind
from aimyproxy.proxy.supervisor import Supervisor
from aimyproxy.store.recording import stored
from tests.builders import exchange


def supervisor(keeper, *, strict=False):
    troubles = []
    observer = SimpleNamespace(trouble=troubles.append)
    settings = SimpleNamespace(strict=strict)
    return Supervisor(settings, None, keeper, observer, print, print), troubles


@pytest.mark.parametrize("content", [b"", b"null", b"{}", b"no JSON"])
def test_what_has_no_stored_form_is_told_and_counted(content):
    """The worker hears that it is not kept; the run goes on."""
    keeper = SimpleNamespace(lost=0)
    one, troubles = supervisor(keeper)
    assert asyncio.run(one._keep(Frame(Kind.EXCHANGE, 7, content), {})) == bytes(Frame(Kind.NOT_KEPT, 7))
    assert keeper.lost == 1
    assert troubles == ["NOT RECORDED: an exchange has no stored form."]
    assert not one._signalled.is_set()


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("identity", [12, None])
def test_a_worker_hears_what_became_of_its_exchange(identity, strict):
    """Its id, or that it has none; if strict, that ends the run."""

    async def keep(kept):
        assert kept == exchange()
        return identity

    one, _ = supervisor(SimpleNamespace(keep=keep), strict=strict)
    unserved = {}
    answer = asyncio.run(one._keep(Frame(Kind.EXCHANGE, 7, stored(exchange())), unserved))
    assert answer == bytes(Frame(Kind.KEPT, 7, b"12") if identity else Frame(Kind.NOT_KEPT, 7))
    assert unserved == ({12: exchange()} if identity else {})
    assert one._signalled.is_set() is (strict and not identity)
