"""The same pairs in each tool's own form, as its own recorder would have written them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from aimyproxy import aimylogic, jsonvalue
from aimyproxy.documents import to_document
from aimyproxy.exchange import Body, Exchange, Request, Response, Timing
from aimyproxy.store.recording import Recording
from tests.bench.suite.traffic import HEADERS, WEBHOOK_ANSWER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.suite.subjects import Place
    from tests.bench.suite.traffic import Pair

NOWHERE = "http://127.0.0.1:9"
"""Where a mitmproxy in reverse mode would forward what it can't replay: the port that discards."""

_BATCH = 1_000


def recording(folder: Path, recorded: Sequence[Pair]) -> Recording:
    """Our own recording."""
    ours = Recording.create(folder, None)
    for start in range(0, len(recorded), _BATCH):
        batch = recorded[start : start + _BATCH]
        ours._table.append_encoded([jsonvalue.dumps(to_document(exchange(one))) for one in batch])
    ours.close()
    return ours


def exchange(pair: Pair) -> Exchange:
    event, conversation = aimylogic.identify(pair.asked)
    return Exchange(
        "2026-11-24T10:00:00.000000Z",
        event,
        conversation,
        Request("POST", "/", HEADERS, Body("json", pair.asked)),
        Response(200, (("content-type", "application/json"),), Body("json", pair.answered)),
        None,
        Timing(5.0, 6.0),
    )


def flows(path: Path, recorded: Sequence[Pair]) -> Path:
    """mitmproxy's flows, of requests as a reverse proxy gets them.

    Its own writer takes most of a minute for 100,000 of them: what they have in common is encoded once.
    """
    from mitmproxy.http import HTTPFlow, Request, Response
    from mitmproxy.io import tnetstring
    from mitmproxy.test import tflow

    def common(state: dict[str, object], *without: str) -> bytes:
        return b"".join(tnetstring.dumps(part) for key in state.keys() - without for part in (key, state[key]))

    def varying(shared: bytes, **values: object) -> bytes:
        return _netstring(shared + b"".join(tnetstring.dumps(part) for pair in values.items() for part in pair), b"}")

    flow = HTTPFlow(tflow.tclient_conn(), tflow.tserver_conn())
    flow.request = Request.make("POST", f"{NOWHERE}/", b"", dict(HEADERS))
    flow.response = Response.make(200)
    state = flow.get_state()
    shared = common(state, "request", "response")
    request, response = common(state["request"], "content"), common(state["response"], "content", "headers")
    names = tnetstring.dumps("request"), tnetstring.dumps("response")
    with path.open("wb") as file:
        for one in recorded:
            body = one.response
            headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
            asked = names[0] + varying(request, content=one.request)
            answered = names[1] + varying(response, content=body, headers=headers)
            file.write(_netstring(shared + asked + answered, b"}"))
    return path


def _netstring(payload: bytes, kind: bytes) -> bytes:
    return b"%d:%b%b" % (len(payload), payload, kind)


def wiremock_mappings(folder: Path, recorded: Sequence[Pair]) -> None:
    """WireMock's mappings in one file; they match as those of its recorder do."""
    folder.mkdir()
    if recorded:
        mappings = [_mapping(one) for one in recorded]
        (folder / "bench.json").write_text(json.dumps({"mappings": mappings}, ensure_ascii=False))


def _mapping(pair: Pair) -> dict[str, object]:
    body = {"equalToJson": pair.request.decode(), "ignoreArrayOrder": True, "ignoreExtraElements": True}
    return {
        "request": {"method": "POST", "url": "/", "bodyPatterns": [body]},
        "response": {
            "status": 200,
            "body": pair.response.decode(),
            "headers": {"Content-Type": "application/json"},
        },
    }


def mountebank_stubs(place: Place, recorded: Sequence[Pair]) -> Path:
    """mountebank's imposter with a stub for each pair, as its predicate generators make them."""
    return _imposter(
        place,
        [
            {
                "predicates": [{"deepEquals": {"method": "POST", "path": "/", "body": one.request.decode()}}],
                "responses": [
                    {
                        "is": {
                            "statusCode": 200,
                            "headers": {"Content-Type": "application/json"},
                            "body": one.response.decode(),
                        }
                    }
                ],
            }
            for one in recorded
        ],
    )


def mountebank_proxy(place: Place) -> Path:
    """mountebank's imposter that asks the webhook each time, and keeps a stub for each body."""
    matches = {"matches": {"method": True, "path": True, "body": True}}
    proxy = {"to": place.webhook, "mode": "proxyAlways", "predicateGenerators": [matches]}
    return _imposter(place, [{"responses": [{"proxy": proxy}]}])


def _imposter(place: Place, stubs: list[dict[str, object]]) -> Path:
    path = place.folder / "imposters.json"
    imposter = {"protocol": "http", "port": place.port, "stubs": stubs}
    path.write_text(json.dumps({"imposters": [imposter]}, ensure_ascii=False))
    return path


def nginx(place: Place) -> Path:
    """nginx's configuration: one process in the foreground that always answers the same JSON."""
    path = place.folder / "nginx.conf"
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "\n".join(f"  {kind}_temp_path {place.folder}/{kind};" for kind in kinds)
    path.write_text(f"""\
daemon off;
master_process off;
pid {place.folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 512; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  default_type application/json;
{temporary}
  server {{
    listen 127.0.0.1:{place.port};
    location / {{ return 200 '{WEBHOOK_ANSWER}'; }}
  }}
}}
""")
    return path
