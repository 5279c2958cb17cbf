"""The sample webhook over HTTP: the faults of real webhooks, and its life as a process."""

from __future__ import annotations

import http.client
import json
import signal
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests import builders, processes

if TYPE_CHECKING:
    from aimyproxy.demo.webhook import Webhook

COMMAND = [sys.executable, "-m", "aimyproxy.demo.webhook"]


def connection(webhook: Webhook) -> Any:
    return closing(http.client.HTTPConnection("127.0.0.1", webhook.server_port, timeout=10))


def post(line: http.client.HTTPConnection, body: bytes) -> tuple[int, str, bytes]:
    """Status, Content-Type and body of the answer."""
    line.request("POST", "/any/path", body, {"Content-Type": "application/json"})
    answer = line.getresponse()
    return answer.status, answer.getheader("Content-Type", ""), answer.read()


def test_lies_about_its_content(webhook: Webhook) -> None:
    """JSON is sent as HTML, with every Cyrillic letter as an escape."""
    with connection(webhook) as line:
        status, label, body = post(line, json.dumps(builders.START, ensure_ascii=False).encode())
    assert (status, label) == (200, "text/html; charset=utf-8")
    assert body.isascii()
    assert rb"\u041f\u0440\u0438\u0432\u0435\u0442" in body
    assert json.loads(body)["greeting"] == "Привет, Иван!"


def test_keeps_the_connection_alive(webhook: Webhook) -> None:
    """Answers and refusals come over one connection."""
    with connection(webhook) as line:
        post(line, b'{"action": "start"}')
        first = line.sock
        post(line, b"no json")
        status, _, _ = post(line, b'{"action": "menu"}')
        assert status == 200
        assert line.sock is first


@pytest.mark.parametrize("body", [b"{", b"", b"\xff\xfe", b"[" * 200_000])
def test_bad_json_gets_an_html_page(webhook: Webhook, body: bytes) -> None:
    """What is no JSON gets status 400 and a page."""
    with connection(webhook) as line:
        status, label, page = post(line, body)
    assert (status, label) == (400, "text/html; charset=utf-8")
    assert page.startswith(b"<!doctype html>")


def test_a_handler_that_trips_gets_an_html_page(webhook: Webhook) -> None:
    """A quantity that is no number ends in status 500."""
    with connection(webhook) as line:
        status, _, page = post(line, '{"action": "choose", "pizza": "Маргарита", "qty": "две"}'.encode())
    assert status == 500
    assert b"Internal Server Error" in page


def test_an_array_is_echoed(webhook: Webhook) -> None:
    """An array comes back as an array."""
    with connection(webhook) as line:
        assert post(line, b'[{"action": "start"}]')[2] == b'[{"action": "start"}]'


def test_a_body_without_length_is_refused(webhook: Webhook) -> None:
    """Without a Content-Length the answer is 411, and the connection ends."""
    with connection(webhook) as line:
        line.putrequest("POST", "/")
        line.endheaders()
        answer = line.getresponse()
        assert answer.status == 411
        assert answer.getheader("Connection") == "close"


def test_a_browser_gets_a_page(webhook: Webhook) -> None:
    """GET says that the webhook works."""
    with connection(webhook) as line:
        line.request("GET", "/")
        assert b"The webhook works" in line.getresponse().read()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_prints_its_url_and_stops(number: signal.Signals) -> None:
    """One line on standard output, and status 0 after either signal."""
    with processes.running([*COMMAND, "--version", "2", "--seed", "1"]) as process:
        port = processes.listening_port(process)
        answer = processes.post(port, b'{"action": "start", "name": "A"}')
        assert process.stop(number) == 0
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["greeting"] == "Здравствуйте, A!"
    assert process.stdout == [f"http://127.0.0.1:{port}"]
    assert process.stderr == []


def test_the_process_refuses_a_port_in_use(webhook: Webhook) -> None:
    """A taken port is an error that names it."""
    with processes.running([*COMMAND, "--port", str(webhook.server_port)]) as process:
        assert process.finished() == 2
    assert f"127.0.0.1:{webhook.server_port}" in process.stderr[-1]


def test_help() -> None:
    """`--help` lists the options."""
    with processes.running([*COMMAND, "--help"]) as process:
        assert process.finished() == 0
    assert "--seed" in "\n".join(process.stdout)
