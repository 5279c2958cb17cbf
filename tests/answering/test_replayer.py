from __future__ import annotations

import subprocess
import sys

from aimyproxy.answering.conversations import Conversations
from aimyproxy.answering.index import Index
from aimyproxy.answering.misses import Miss
from aimyproxy.answering.replayer import Replayer
from tests.builders import exchange, request


def test_conversations_go_on_when_the_index_is_exchanged():
    """An edit of the recording does not send the bot's users back to the beginning."""
    visits = [request(queryText=text) for text in ("a", "b", "c")]
    exchanges = [(identity, exchange(asked)) for identity, asked in enumerate(visits, 1)]
    replayer = Replayer(Index.build(exchanges))
    other = request(queryText="other")
    assert replayer.answer(other)[1].source.exchange == 1
    replayer.index = Index.build(exchanges)
    assert replayer.answer(other)[1].source.exchange == 2


def test_state_is_kept_apart_from_the_index():
    """Two replayers of one index know nothing of each other."""
    exchanges = [(identity, exchange(request(queryText=str(identity)))) for identity in (1, 2)]
    index = Index.build(exchanges)
    one, other = Replayer(index), Replayer(index, conversations=Conversations(most=1))
    asked = request(queryText="?")
    assert [replayer.answer(asked)[1].source.exchange for replayer in (one, one, other)] == [1, 2, 1]


def test_what_nothing_answers_is_an_explained_miss():
    """The suggestion names the recording as the user would."""
    asked, miss = Replayer(Index(), "shop --recordings dir").answer(request())
    assert isinstance(miss, Miss)
    assert asked.event == miss.event == "start"
    assert "aimyproxy mock shop --recordings dir start" in miss.suggestion


def test_replay_imports_no_server_and_no_proxy():
    """It is pure: no sockets, no files."""
    code = (
        "import sys, aimyproxy.answering.replayer, aimyproxy.answering.index;"
        "wrong = {'mitmproxy', 'uvicorn', 'aiohttp', 'tinydb', 'asyncio', 'jsonpath'} & set(sys.modules);"
        "assert not wrong, wrong"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
