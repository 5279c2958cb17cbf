from __future__ import annotations

from aimyproxy.mockserver.messages import Reply


def test_a_reply_of_ours_is_one_line_of_json():
    """And says so."""
    reply = Reply.of_json(404, {"error": "no"}, "miss")
    assert reply == (404, (("content-type", "application/json"),), b'{"error":"no"}\n', "miss")
