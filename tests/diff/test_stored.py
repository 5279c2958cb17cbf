"""Reading no more of a recording than a diff needs: what comes of it is the same."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.diff import report_json
from aimyproxy.diff.answers import Scope
from aimyproxy.diff.noise import NoiseLearner
from aimyproxy.diff.pairs import pairs
from aimyproxy.diff.run import Terms, diff_recordings
from aimyproxy.diff.selection import Selection
from aimyproxy.errors import BrokenFile
from aimyproxy.exchange import Body, Failure, Response
from aimyproxy.store.recording import Recording
from tests import builders

SCALARS = st.sampled_from([0, 1, True, False, None, 1.0, "1", "x", -0.0])
VALUES = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(st.sampled_from("ab"), SCALARS, max_size=2))
MEMBERS = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=2)
BODIES = st.one_of(MEMBERS.map(lambda value: Body("json", value)), st.sampled_from([Body("text", "hi"), Body()]))


@st.composite
def talks(draw):
    """Both sides of what three users said: mostly the same questions, often the same answers."""
    sides = [], []
    for _ in range(draw(st.integers(0, 8))):
        user, event = draw(st.sampled_from(["u1", "u2", None])), draw(st.sampled_from(["start", "pay"]))
        asked, answer = draw(MEMBERS), draw(BODIES)
        for side in sides:
            if draw(st.integers(0, 9)) == 0:
                continue
            frame = {"action": event, **({"userId": user} if user else {})}
            if draw(st.integers(0, 9)) == 0:
                side.append(builders.exchange(builders.request({**frame, **asked}), failure=Failure("timeout", "")))
                continue
            body = answer if draw(st.integers(0, 2)) else draw(BODIES)
            status = draw(st.sampled_from([200, 200, 200, 500]))
            headers = (("X-Version", draw(st.sampled_from("12"))),)
            side.append(builders.exchange(builders.request({**frame, **asked}), Response(status, headers, body)))
    return sides


TERMS = st.builds(
    Terms,
    selection=st.sampled_from([Selection(), Selection(share=0.5)]),
    scope=st.sampled_from([Scope(), Scope(full=True), Scope(headers=("x-version",))]),
)


def recorded(folder, name, exchanges):
    recording = Recording.create(folder / name, None)
    for exchange in exchanges:
        recording.append(exchange)
    return recording


@given(talks(), TERMS)
def test_a_short_cut_leads_to_the_same_report(sides, terms):
    """As from exchanges that were read whole, with noise that was learned everywhere."""
    with tempfile.TemporaryDirectory() as folder:
        old, new = (recorded(Path(folder), name, side) for name, side in zip(("old", "new"), sides, strict=True))
        short = report_json.as_json(diff_recordings(old, new, terms))
        learner, report = NoiseLearner(terms.scope), terms.report("old", "new")
        for _, exchange in old:
            learner.add(exchange)
        report.noise = learner.learned()
        for pair in pairs(terms.selection.of(old), terms.selection.of(new), terms.scope, "old"):
            report.add(pair)
        old.close()
        new.close()
    assert short == report_json.as_json(report)


ASKED = {"method": "POST", "path": "/", "json": {"action": "start"}}
FRAME = {"at": "x", "event": "start", "conversation": None, "request": ASKED}


@pytest.mark.parametrize(
    "document",
    [
        5,
        {"event": 5},
        {"event": "start", "conversation": [1]},
        {"event": "start", "conversation": None, "request": None},
        {"at": "x", "event": "start", "conversation": None, "request": {"method": "POST", "path": 5}},
        {"at": 5, "event": "start", "conversation": None, "request": ASKED, "response": {"status": 200}},
        {"at": "x", "event": "start", "conversation": None, "request": ASKED, "response": {"status": "200"}},
        {"at": "x", "event": "start", "conversation": None, "request": ASKED, "response": {"status": True}},
        {
            "at": "x",
            "event": "start",
            "conversation": None,
            "request": ASKED,
            "response": {"status": 200, "headers": 1},
        },
    ],
)
def test_what_is_no_exchange_is_named(tmp_path, document):
    """With its line; also where both sides are broken alike."""
    sides = []
    for name in ("old", "new"):
        recording = recorded(tmp_path, name, [builders.exchange()])
        recording.close()
        lines = recording.path.read_text().splitlines()
        lines[2] = f'"1": {json.dumps(document)}'
        recording.path.write_text("\n".join(lines) + "\n")
        sides.append(Recording(tmp_path / name))
    with pytest.raises(BrokenFile, match=r"exchange 1:.*"):
        diff_recordings(*sides)


def test_true_is_not_one(tmp_path):
    """To Python it is."""
    sides = [
        recorded(tmp_path, name, [builders.exchange(answered=builders.response({"a": value}))])
        for name, value in (("old", 1), ("new", True))
    ]
    assert diff_recordings(*sides).differing.total() == 1
