"""`python -m aimyproxy.demo.webhook`: the sample webhook, an HTTP server around the pizza shop.

It behaves as the official Python template does, faults included: it returns all of the received object, labels its
JSON `text/html` and writes Cyrillic as `\\uXXXX` escapes; what it can't understand gets an HTML page.
"""

from __future__ import annotations

import argparse
import json
import signal
import socketserver
import sys
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final, cast

from aimyproxy.demo.shop import VERSIONS, Shop

if TYPE_CHECKING:
    from collections.abc import Sequence

HTML: Final = "text/html; charset=utf-8"
_STOPS: Final = (signal.SIGINT, signal.SIGTERM)


class _Refused(Exception):
    """The request gets an HTML page of this status."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


class Webhook(ThreadingHTTPServer):
    """The listening server; `serve_forever()` serves, `shutdown()` from another thread stops it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, version: int = 1, seed: int | None = None) -> None:
        self.shop = Shop(version, seed)
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        """Bind without HTTPServer's look-up of the host's name, which can take seconds on a machine that is offline."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where bots POST to."""
        return f"http://{self.server_name}:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "pizza"
    disable_nagle_algorithm = True
    # Buffered, so that headers and body leave in one packet.
    wbufsize = -1

    def do_GET(self) -> None:
        self._send(HTTPStatus.OK, _page("Pizza", "The webhook works. Bots POST here."))

    def do_POST(self) -> None:
        try:
            received = self._received()
            # ASCII only: json.dumps as the template calls it.
            self._send(HTTPStatus.OK, json.dumps(cast("Webhook", self.server).shop.answer(received)).encode())
        except _Refused as refusal:
            self._send(refusal.status, _page(str(refusal.status.value), refusal.status.phrase))
        except (TypeError, ValueError):
            self._send(HTTPStatus.INTERNAL_SERVER_ERROR, _page("500", "Internal Server Error"))

    def _received(self) -> object:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            # The body's end is unknown, so nothing after it could be understood.
            self.close_connection = True
            raise _Refused(HTTPStatus.LENGTH_REQUIRED)
        body = self.rfile.read(int(length))
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            raise _Refused(HTTPStatus.BAD_REQUEST) from None

    def _send(self, status: HTTPStatus, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", HTML)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: standard output is for the URL alone."""


def _page(title: str, text: str) -> bytes:
    return f"<!doctype html>\n<title>{title}</title>\n<h1>{title}</h1>\n<p>{text}</p>\n".encode()


def serve_until_stopped(server: Webhook) -> None:
    """Serve until SIGINT or SIGTERM, both of which have to be blocked; to be called from the main thread."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    sys.stdout.write(f"{server.url}\n")
    sys.stdout.flush()
    signal.sigwait(_STOPS)
    server.shutdown()
    thread.join()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the webhook that the arguments describe; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m aimyproxy.demo.webhook", description="A sample webhook: a pizza shop. Prints its URL."
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen (default: %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one (default: %(default)s)")
    parser.add_argument("--version", type=int, choices=sorted(VERSIONS), default=1, help="default: %(default)s")
    parser.add_argument("--seed", type=int, help="order numbers that are the same in every run, for tests")
    options = parser.parse_args(arguments)
    # Before it listens: who sees the open port may already send the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    try:
        server = Webhook(options.host, options.port, version=options.version, seed=options.seed)
    except (OSError, OverflowError) as error:
        parser.error(f"can't listen on {options.host}:{options.port}: {error}")
    with server:
        serve_until_stopped(server)
    return 0


if __name__ == "__main__":
    sys.exit(main())
