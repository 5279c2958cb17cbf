"""Warnings about who can reach and read what: said once, when a command begins."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aimyproxy.cli.output import say

if TYPE_CHECKING:
    from aimyproxy.guard import Guard
    from aimyproxy.store.recording import Recording
    from aimyproxy.trust import Trust


def warn_of_listening(url: str) -> None:
    """Warn where other machines reach the bot's side and nothing is encrypted; `url` is what is listened on."""
    if _exposed(url):
        say(
            f"Other machines can reach {url}, and it is not encrypted: whoever is on the way can read what users "
            "write. Give --cert and --key, unless a tunnel or platform in front of it encrypts.",
            "yellow",
            "warning",
        )


def warn_of_access(listen: tuple[str, int], guard: Guard | None, trust: Trust) -> None:
    """Warn where anybody may call what listens on this host and port, or be the webhook."""
    warn_of_strangers(listen, guard)
    warn_of_trust(trust)


def warn_of_strangers(listen: tuple[str, int], guard: Guard | None) -> None:
    """Warn where anybody may call what is about to listen on this host and port."""
    from aimyproxy.sockets import is_loopback

    if not is_loopback(listen[0]) and not (guard and guard.knows_friends):
        say(
            "Whoever finds the address can call it, as the bot does: --secret-path or --require-header keeps strangers "
            "out.",
            "yellow",
            "warning",
        )


def warn_of_admin(url: str) -> None:
    """Warn where other machines reach the admin surface; `url` is what it listens on."""
    if _exposed(url):
        say(
            f"Other machines can reach {url}, and it is not encrypted: whoever is on the way can read the token. "
            "Listen on loopback, or let only a network that you trust reach it.",
            "yellow",
            "warning",
        )


def warn_of_trust(trust: Trust) -> None:
    """Warn where the webhook may be anybody."""
    if trust.insecure:
        say(
            "--insecure: certificates are not verified, so whoever is on the way to the webhook can read and change "
            "what passes. For one of your own, give --ca instead.",
            "yellow",
            "warning",
        )


def warn_of_rights(recording: Recording) -> None:
    """Warn where other users of this machine can read what is about to grow."""
    if recording.others_may_read():
        folder = recording.folder
        say(
            f"Other users of this machine can read {folder}; `chmod -R go= {folder}` keeps them out.",
            "yellow",
            "warning",
        )


def _exposed(url: str) -> bool:
    from aimyproxy.sockets import is_loopback

    parts = urlsplit(url)
    return parts.scheme == "http" and not is_loopback(parts.hostname or "")
