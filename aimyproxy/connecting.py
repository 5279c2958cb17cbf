"""Why a webhook can't be connected to, in words."""

from __future__ import annotations

import os

import aiohttp


def connection_problem(error: aiohttp.ClientConnectorError) -> str:
    """The system's word for why there is no connection, "" where there is none."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} can't be resolved"
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        why = getattr(error.certificate_error, "verify_message", "")
        return f"its certificate can't be verified ({why or 'it is not trusted'}; see --ca)"
    # aiohttp's own text repeats the address, and speaks of ssl where there is none.
    if isinstance(error, aiohttp.ClientSSLError):
        reason = str(getattr(error.os_error, "reason", None) or error.os_error.strerror or "it hangs up")
        return f"it speaks no TLS, or not ours ({reason.replace('_', ' ').lower()})"
    code = error.os_error.errno
    return os.strerror(code) if code and code > 0 else ""
