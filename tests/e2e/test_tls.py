"""Whose certificates are accepted wherever a command is a TLS client, and what a TLS server of ours accepts."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import warnings

import pytest
import trustme

from tests.builders import START
from tests.e2e.replays import replaying
from tests.e2e.test_record import BOT, ECHO, recorder, serve_tls
from tests.processes import Upstream, answering, post, run

WARNING = "--insecure: certificates are not verified"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with an unknown authority's ca.pem, and the certificate and key for localhost in both.pem."""
    folder = tmp_path_factory.mktemp("authority")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    ca.issue_cert("localhost", "127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "both.pem")
    return folder


@pytest.fixture
def secure(authority):
    """A webhook behind TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority / "both.pem")
    with Upstream(answering(ECHO)) as upstream:
        upstream._serve = lambda connection: serve_tls(context, connection)
        upstream.url = f"https://localhost:{upstream.port}/bot"
        yield upstream


def warned(process):
    return any(line.startswith(WARNING) for line in process.stderr)


def test_record_and_its_shadow_trust_whom_they_are_told(tmp_path, secure, authority):
    """Nobody unknown; an authority of one's own; or anybody, with a warning."""
    for name, options, status in (
        ("verified", (), b"502"),
        ("own", ("--ca", authority / "ca.pem"), b"200"),
        ("anybody", ("--insecure",), b"200"),
    ):
        with recorder(tmp_path, secure.url, "--shadow", secure.url, *options, name=name) as (process, port):
            assert post(port, BOT).split(b" ")[1] == status
            assert process.stop() == 0
        assert warned(process) is (name == "anybody")
        sent = "The shadow answered 0 requests" if name == "verified" else "The shadow answered 1 request"
        assert any(line.startswith(sent) for line in process.stderr)


def test_replay_forwards_to_whom_it_is_told_to_trust(shop, secure, authority):
    """As record does."""
    for options, status in (((), b"502"), (("--ca", authority / "ca.pem"), b"200"), (("--insecure",), b"200")):
        with replaying(shop, "--on-miss", "forward", "--target", secure.url, *options) as (process, port):
            bot = json.dumps({**START, "action": "unknown"}).encode()
            assert post(port, bot).split(b" ")[1] == status
            assert process.stop(signal.SIGTERM) == 0
        assert warned(process) is ("--insecure" in options)


def test_diff_trusts_whom_it_is_told(shop, secure, authority):
    """Where nobody unknown is trusted, nothing gets through."""
    shop.close()
    told = ("diff", "shop", "--recordings", shop.folder.parent, "--target", secure.url)
    refused = run(*told)
    assert refused.process.returncode == 2
    assert "its certificate can't be verified (" in refused.stderr[-1]
    assert "see --ca)" in refused.stderr[-1]
    assert run(*told, "--ca", authority / "ca.pem").process.returncode == 1
    insecure = run(*told, "--insecure")
    assert insecure.process.returncode == 1
    assert warned(insecure)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--ca", "both.pem", "--insecure"), "--insecure verifies nothing: leave it out, or --ca."),
        (("--ca", "no.pem"), "holds no certificates that can be used. Give a PEM file."),
    ],
)
def test_trust_that_can_not_be_meant_is_told(tmp_path, authority, options, problem):
    """Before anything is begun."""
    (authority / "no.pem").write_text("no certificate")
    given = [authority / one if one.endswith(".pem") else one for one in options]
    for command in (("record", "shop"), ("replay", "shop", "--on-miss", "forward"), ("diff", "shop")):
        process = run(*command, "--recordings", tmp_path, "--target", "https://127.0.0.1:1", *given)
        assert process.process.returncode == 2
        assert problem in process.stderr[-1]
    assert not any(tmp_path.iterdir())


def met(port, authority, version, ciphers="ALL:@SECLEVEL=0"):
    """What a client meets that speaks this version of TLS alone: the version, or how the server ends it."""
    context = ssl.create_default_context(cafile=authority / "ca.pem")
    context.set_ciphers(ciphers)
    with warnings.catch_warnings(action="ignore"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
        try:
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                return secured.version()
        except ssl.SSLError as error:
            return error.reason


def test_what_listens_with_tls_accepts_no_old_version(tmp_path, shop, authority):
    """1.2 and 1.3, and no weak cipher; record and replay alike. It is the server who ends it, with an alert or not."""
    refused = {
        "TLSV1_ALERT_PROTOCOL_VERSION",
        "SSLV3_ALERT_HANDSHAKE_FAILURE",
        "SSL/TLS_ALERT_HANDSHAKE_FAILURE",
        "UNEXPECTED_EOF_WHILE_READING",
    }
    cert = ("--cert", authority / "both.pem")
    with (
        Upstream(answering(ECHO)) as upstream,
        recorder(tmp_path, upstream.url, *cert, name="new") as (_, records),
        replaying(shop, *cert) as (_, replays),
    ):
        for port in (records, replays):
            assert met(port, authority, "TLSv1") in refused
            assert met(port, authority, "TLSv1_1") in refused
            assert met(port, authority, "TLSv1_2") == "TLSv1.2"
            assert met(port, authority, "TLSv1_3") == "TLSv1.3"
            assert met(port, authority, "TLSv1_2", "kRSA:ECDHE+SHA1:@SECLEVEL=0") in refused
