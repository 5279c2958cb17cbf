"""Which requests meet which fault."""

from __future__ import annotations

import pytest

from aimyproxy.answering.faults import Fault, Faults
from aimyproxy.errors import InvalidOption


def faults(*rules, seed=1):
    return Faults([(event, Fault.parse(spelled)) for event, spelled in rules], seed)


def kinds(known, event, times=1000, own=None):
    met = [known.strike(event, own) for _ in range(times)]
    return [fault and fault.kind for fault in met]


def test_a_fault_without_a_rate_always_strikes():
    """Its event, and no other."""
    known = faults(("pay", "timeout"))
    assert kinds(known, "pay", 3) == ["timeout"] * 3
    assert kinds(known, "start", 3) == kinds(known, None, 3) == [None] * 3


@pytest.mark.parametrize("rate", ["0.3", "30%", ".3"])
def test_a_rate_is_a_share(rate):
    """Of the event's requests."""
    struck = kinds(faults(("pay", f"500:{rate}")), "pay").count("500")
    assert 250 < struck < 350


def test_the_first_rule_that_strikes_counts():
    """Those of every event among them, in the order given; a mock's own before all."""
    known = faults(("pay", "500:0.5"), ("*", "slow"))
    assert set(kinds(known, "pay")) == {"500", "slow"}
    assert set(kinds(known, None)) == {"slow"}
    assert set(kinds(known, "pay", own=Fault("reset"))) == {"reset"}
    assert known.events == {"pay"}


def test_the_same_seed_strikes_the_same_requests_of_an_event():
    """Whatever other events come in between."""
    for wanted in ("pay", "*"):
        alone = kinds(faults((wanted, "empty:0.5")), "pay", 50)
        known, mixed = faults((wanted, "empty:0.5"), ("start", "empty:0.5")), []
        for number in range(50):
            known.strike("start")
            known.strike(f"never heard of {number}")
            known.strike(None)
            mixed += kinds(known, "pay", 1)
        assert mixed == alone
        assert kinds(faults((wanted, "empty:0.5"), seed=2), "pay", 50) != alone


@pytest.mark.parametrize("spelled", ["", "boom", "200", "600", "500:", "500:2", "500:101%", "timeout:x", "50"])
def test_what_is_no_fault_is_refused(spelled):
    """With the forms that there are."""
    with pytest.raises(InvalidOption, match="write timeout, reset, slow"):
        Fault.parse(spelled)


@pytest.mark.parametrize(
    ("spelled", "status", "answers"),
    [
        ("timeout", None, False),
        ("reset", None, False),
        ("slow", None, True),
        ("garbage", 200, True),
        ("503", 503, True),
    ],
)
def test_what_the_bot_gets_of_a_fault(spelled, status, answers):
    """A status of its own, the answer's, or nothing."""
    fault = Fault.parse(spelled)
    assert (fault.status, fault.answers, fault.spoils) == (status, answers, spelled != "slow")
