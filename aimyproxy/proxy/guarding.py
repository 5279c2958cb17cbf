"""The addon that lets in only whom the guard lets in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aimyproxy.proxy.addons import refuse

if TYPE_CHECKING:
    from mitmproxy import http

    from aimyproxy.guard import Guard

_LOOKED_AT: Final = "aimyproxy.looked_at"


class Guarding:
    """Refuses what the guard refuses before anything is forwarded, and takes the secrets out of what it lets in.

    To be added before the addons that record.
    """

    def __init__(self, guard: Guard) -> None:
        self._guard = guard

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        """Look at a request before its body comes: one that breaks off there shall be recorded without secrets, too."""
        flow.metadata[_LOOKED_AT] = True
        request = flow.request
        path, fields = request.data.path, request.headers.fields
        peer = flow.client_conn.peername
        refusal = self._guard.refusal(peer[0] if peer else "", path, fields)
        request.data.path = self._guard.path_behind(path)
        request.headers.fields = tuple(self._guard.without_secret(fields))
        if refusal:
            refuse(flow, refusal)

    def error(self, flow: http.HTTPFlow) -> None:
        """Look at a request of which mitmproxy itself has seen enough: its head is in no order, its body too large."""
        if _LOOKED_AT not in flow.metadata:
            self.requestheaders(flow)
