"""What `aimyproxy explain` says of mocks."""

from __future__ import annotations

import pytest

from aimyproxy.exchange import Body, Failure, Request
from aimyproxy.store.recording import Recording
from tests import builders


@pytest.fixture
def menu(root):
    """Two visits of one user, one of another; a request of no bot; and mocks of every sort."""
    recording = Recording.create(root / "menu", None)
    for user, name in (("u1", "Иван"), ("u1", "Иван"), ("u2", "Мария")):
        asked = builders.request(userId=user, name=name)
        recording.append(builders.exchange(asked, builders.response({"hi": name})))
    recording.append(builders.exchange(Request("GET", "/health", (), Body()), builders.response({})))
    for mock in (
        {"event": "start", "when": {"$.name": "Мария"}, "answer": {"hi": 1}, "note": "for Maria", "delay_ms": 250},
        {
            "event": "start",
            "when": {"$.name": {"one_of": ["Мария", "Анна"]}, "$.lastSeen": {"at_least": 5}},
            "status": 503,
        },
        {"event": "start", "answer": {"x": 1}, "merge": True, "when": {"$.order": {"exists": True}}},
        {"event": "start", "from_exchange": 2, "answer": {"hi": "edited"}},
        {"event": "start", "from_exchange": 77, "answer": {"hi": "nobody"}},
        {"event": "start", "when": {"$.name": {"matches": "^М"}}, "text": "текст", "enabled": False},
        {"event": "start", "when": {"$.name": "Мария"}, "answer": {"hi": 2}},
        {"event": "new", "fault": "timeout:30%"},
        {"event": None, "base64": "AAEC"},
    ):
        recording.mocks.add(mock)
    recording.close()
    return recording


def test_the_mocks_are_told_in_the_order_in_which_they_are_tried(aimyproxy, menu):
    """With their conditions, what they answer, and which never win."""
    status, out, _ = aimyproxy("explain", "menu", "start")
    assert status == 0
    lines = out.splitlines()
    assert lines[0] == "start: 3 exchanges"
    assert lines[lines.index("  mocks, in the order in which they are tried:") + 1 :] == [
        '      mock 2, where name is "Мария" or "Анна" and lastSeen is at least 5, answers status 503 and no body',
        '      mock 1, where name is "Мария", answers {"hi":1}, after 250 ms (for Maria)',
        '      mock 7, where name is "Мария", answers {"hi":2}; never wins: mock 1 always comes before it',
        '      mock 6, where name matches "^М", answers the text "текст"; disabled',
        '      mock 3, where order is there, lays {"x":1} over the answer that there would be without it',
        '      mock 4, in the place of exchange 2, answers {"hi":"edited"}',
        '      mock 5, in the place of exchange 77, answers {"hi":"nobody"}; never wins: there is no such exchange',
    ]


def test_an_event_that_has_only_mocks_is_explained_too(aimyproxy, menu):
    """And is among all events; so are requests of no bot."""
    assert aimyproxy("explain", "menu", "new")[1].splitlines() == [
        "new: nothing learned",
        "  mocks, in the order in which they are tried:",
        "      mock 8 always fails with timeout in 30% of all cases",
    ]
    out = aimyproxy("explain", "menu")[1]
    assert [line.partition(":")[0] for line in out.splitlines() if line and line[0] != " "] == [
        "start",
        "new",
        "(no event)",
    ]
    assert "mock 9 always answers 3 bytes" in out


@pytest.mark.parametrize(
    ("identity", "wanted"),
    [
        (
            1,
            [
                "  for the request of exchange 1, no mock answers, but the same request as recorded (exact #1)",
                '      mock 2 doesn\'t: it wants that name is "Мария" or "Анна", and the request has "Иван"',
                '      mock 1 doesn\'t: it wants that name is "Мария", and the request has "Иван"',
                '      mock 7 doesn\'t: it wants that name is "Мария", and the request has "Иван"',
                "      mock 6 doesn't: it is disabled",
                "      mock 3 doesn't: it wants that order is there, and the request has nothing there",
            ],
        ),
        (2, ["  for the request of exchange 2, mock 4 answers, the edited response of exchange 2"]),
        (
            3,
            [
                "  for the request of exchange 3, mock 2 answers",
                "      mock 1 doesn't: it would, but mock 2 comes before it",
            ],
        ),
        (4, ["  for the request of exchange 4, mock 9 answers"]),
    ],
)
def test_what_answers_a_recorded_request_is_told(aimyproxy, menu, identity, wanted):
    """Where the conversation stood then; and for each other mock, why it doesn't."""
    status, out, _ = aimyproxy("explain", "menu", "--for", identity)
    assert status == 0
    lines = out.splitlines()
    begun = lines.index(wanted[0])
    assert lines[begun : begun + len(wanted)] == wanted


def test_what_a_mock_is_laid_over_is_told(aimyproxy, menu):
    """Down to the recorded answer."""
    menu.mocks.add({"event": "start", "merge": True, "status": 201})
    menu.close()
    out = aimyproxy("explain", "menu", "start", "--for", 1)[1]
    assert "mock 10 answers, laid over the same request as recorded (exact #1)" in out


def test_a_miss_and_a_failing_mock_are_told(aimyproxy, root):
    """With their reasons."""
    recording = Recording.create(root / "odd", None)
    recording.append(builders.exchange(failure=Failure("timeout", "30 s")))
    out = aimyproxy("explain", "odd", "--for", 1)[1]
    reason = 'No exchange of the event "start" has a response to replay.'
    assert out.splitlines() == ["start: nothing learned", f"  for the request of exchange 1, nothing answers: {reason}"]
    recording.mocks.add({"event": "start", "answer": {"hi": "{{ 1 // 0 }}"}})
    recording.close()
    assert "for the request of exchange 1, mock 1 answers, and fails: " in aimyproxy("explain", "odd", "--for", 1)[1]


def test_the_kind_of_noise_is_told(aimyproxy, root):
    """Where it is plain."""
    recording = Recording.create(root / "noisy", None)
    for number in range(12):
        asked = builders.request(queryText=f"{number * 7 % 5}", userId=f"u{number}")
        answered = builders.response({"id": f"{number * 2654435761 % 2**32:08x}", "word": f"{number * 7919:x}zz"})
        recording.append(builders.exchange(asked, answered))
    recording.close()
    out = aimyproxy("explain", "noisy")[1]
    noise = "differs without a reason (noise): "
    assert f"id {noise}a random token, served as recorded or, with --fresh, made anew (12 values seen)" in out
    assert f"word {noise}left out for new users, since it may be somebody's own (12 values seen)" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["nothing"],
            "Nothing is recorded of the event 'nothing' in menu, and no mock answers it (there: new, start).",
        ),
        (["new", "--for", 1], "Exchange 1 of menu is of the event 'start', not the event 'new'."),
        (["start", "--for", 4], "Exchange 4 of menu is of no event, not the event 'start'."),
        (["--for", 99], "has no exchange 99"),
    ],
)
def test_what_is_not_there_is_refused(aimyproxy, menu, arguments, message):
    """In a sentence."""
    status, out, err = aimyproxy("explain", "menu", *arguments)
    assert (status, out) == (2, "")
    assert message in err
