"""An admin surface without a server, looked at with a hostile eye; the end-to-end tests ask it over a socket."""

from __future__ import annotations

import asyncio
import json

import pytest

from aimyproxy.admin.hosts import Hosts
from aimyproxy.admin.surface import Refused, Reply, Surface

TOKEN = "tökén"


class Served:
    """A surface with something to read, something to change, and a bug; what it was told, and what was changed."""

    def __init__(self):
        self.told = []
        self.changed = []
        self.ready = True
        routes = {
            "/health": {"GET": lambda _: {"secret": "detail"}},
            "/thing": {"GET": self.read, "DELETE": self.change},
            "/thing/": {"GET": lambda asked: {"part": asked.part}},
            "/bug": {"POST": self.bug},
            "/slow": {"GET": self.slow},
        }
        self.surface = Surface(
            routes, TOKEN, Hosts("127.0.0.1", "127.0.0.1", 9090), lambda: self.ready, self.told.append
        )

    def read(self, asked):
        asked.allow("limit", "old")
        return {"limit": asked.number("limit", 7), "old": asked.one_of("old", {"yes": True, "no": False})}

    def change(self, asked):
        self.changed.append(asked)
        return {}

    def bug(self, _asked):
        raise ZeroDivisionError("a bug")

    async def slow(self, _asked):
        return Reply(201, b"done", content_type="text/plain")

    def ask(self, path, method="GET", query=b"", authorization=f"Bearer {TOKEN}", **headers):
        """Status, headers and bytes of the reply."""
        given = {"host": "127.0.0.1:9090", "authorization": authorization, **headers}
        return self.ask_with(path, [pair for pair in given.items() if pair[1] is not None], method, query)

    def ask_with(self, path, headers, method="GET", query=b""):
        """The same, of these headers."""
        messages = []

        async def send(message):
            messages.append(message)

        pairs = [(name.encode(), value.encode()) for name, value in headers]
        scope = {"type": "http", "path": path, "method": method, "query_string": query, "headers": pairs}
        asyncio.run(self.surface(scope, None, send))
        head, body = messages
        assert not any(name.lower().startswith(b"access-control") for name, _ in head["headers"])
        assert dict(head["headers"])[b"cache-control"] == b"no-store"
        assert method == "HEAD" or int(dict(head["headers"])[b"content-length"]) == len(body["body"])
        return head["status"], dict(head["headers"]), body["body"]


def test_without_a_token_there_is_only_whether_the_bot_is_served():
    """For probes, and with nothing that they need not know."""
    served = Served()
    assert served.ask("/health", authorization=None)[::2] == (200, b'{"ready":true}\n')
    served.ready = False
    assert served.ask("/health", authorization=None)[::2] == (503, b'{"ready":false}\n')
    assert json.loads(served.ask("/health")[2]) == {"secret": "detail"}
    for path, method in (("/health", "POST"), ("/health/", "GET"), ("/thing", "GET"), ("/thing", "HEAD")):
        assert served.ask(path, method, authorization=None)[0] == 401


def test_a_head_is_a_get_without_the_body():
    """With its status and headers, the length included, whatever there is to say."""
    served = Served()
    known, unknown = f"Bearer {TOKEN}", None
    for path, authorization in (("/health", known), ("/health", unknown), ("/slow", known), ("/thing", unknown)):
        status, headers, body = served.ask(path, authorization=authorization)
        assert served.ask(path, "HEAD", authorization=authorization) == (status, headers, b"")
        assert body
    assert served.ask("/bug", "HEAD")[0] == 405


@pytest.mark.parametrize("path", ["/health", "/thing", "/thing/1", "/nothing", "/bug"])
def test_a_wrong_token_opens_nothing(path):
    """Not even what is open to those who have none."""
    for wrong in ("", TOKEN, f"Basic {TOKEN}", "Bearer", f"Bearer {TOKEN}2", f"Bearer {TOKEN[:-1]}", "Bearer\t"):
        status, headers, _ = Served().ask(path, authorization=wrong)
        assert (status, headers[b"www-authenticate"]) == (401, b"Bearer")


@pytest.mark.parametrize(
    "host",
    ["evil.example:9090", "127.0.0.1", "127.0.0.1:9091", "localhost.evil.example:9090", "", "127.0.0.1:9090@evil"],
)
def test_a_page_under_another_name_reaches_nothing(host):
    """Whatever it resolves to, token or not."""
    served = Served()
    assert served.ask("/thing", "DELETE", host=host)[0] == 421
    assert served.ask("/health", authorization=None, host=host)[0] == 421
    assert not served.changed


def test_no_request_that_a_page_may_send_changes_anything():
    """A page can send GET, HEAD and POST without asking before, and ask with OPTIONS for more."""
    served = Served()
    for method in ("GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "get", "delete"):
        served.ask("/thing", method, origin="https://evil.example")
    assert not served.changed
    status, headers, _ = served.ask("/thing", "OPTIONS", origin="https://evil.example")
    assert (status, headers[b"allow"]) == (405, b"GET, HEAD, DELETE")
    assert served.ask("/thing", "DELETE")[0] == 200
    assert len(served.changed) == 1


@pytest.mark.parametrize("name", ["host", "authorization"])
def test_a_header_that_stands_there_twice_is_believed_in_neither_place(name):
    """Something on the way might read the other one."""
    served = Served()
    for order in (1, -1):
        both = [("evil", "evil"), (name, f"Bearer {TOKEN}" if name == "authorization" else "127.0.0.1:9090")][::order]
        given = {"host": "127.0.0.1:9090", "authorization": f"Bearer {TOKEN}"}
        pairs = [*((key, value) for key, value in given.items() if key != name), *((name, value) for _, value in both)]
        status, _, body = served.ask_with("/thing", pairs)
        assert (status, json.loads(body)) == (400, {"error": "The header Host or Authorization is given twice."})


def test_what_can_not_be_served_is_explained():
    """In one sentence, and with the possibilities."""
    served = Served()
    problems = [
        ("/no", b"", 404, "There is no /no here; there are /health, /thing, /thing/NUMBER, /bug, /slow."),
        ("/thing/", b"", 404, "There is no /thing/ here"),
        ("/thing/1/2", b"", 404, "There is no /thing/1/2 here"),
        ("/thing", b"x=1", 400, "'x' is no parameter here; there are: limit, old."),
        ("/thing", b"limit=1&limit=2", 400, "A parameter is given twice."),
        ("/thing", b"limit=-1", 400, "limit has to be a number, not '-1'."),
        ("/thing", b"old=true", 400, "old has to be yes or no, not 'true'."),
    ]
    for path, query, status, problem in problems:
        got, _, body = served.ask(path, query=query)
        assert got == status
        assert json.loads(body)["error"].startswith(problem)
    assert json.loads(served.ask("/thing", query=b"old=no")[2]) == {"limit": 7, "old": False}
    assert json.loads(served.ask("/thing/12")[2]) == {"part": "12"}
    assert served.ask("/slow")[::2] == (201, b"done")


def test_a_bug_is_told_on_the_terminal():
    """And not to whoever asks."""
    served = Served()
    status, headers, body = served.ask("/bug", "POST")
    assert (status, headers[b"content-type"]) == (500, b"application/json")
    assert b"a bug" not in body
    [told] = served.told
    assert told.startswith("The admin surface could not answer: ZeroDivisionError: a bug (test_surface.py:")


def test_only_http_is_served():
    """A WebSocket is nobody's business here."""
    asyncio.run(Served().surface({"type": "websocket"}, None, None))


def test_a_refusal_may_have_headers():
    """As HTTP asks for."""
    refused = Refused(405, "no", ("allow", "GET"))
    assert (refused.status, str(refused), refused.headers) == (405, "no", (("allow", "GET"),))
