"""What answers took from their requests, said of another user."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.diff.masking import rebased
from tests.strategies import values

ANNA = {"userId": "u-17", "channelType": "vk", "rawRequest": {"object": {"message": {"from_id": 612, "text": "hello"}}}}
BORIS = {"userId": "u-99", "channelType": "vk", "rawRequest": {"object": {"message": {"from_id": 7134, "text": "612"}}}}


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        ({"id": 612, "text": "612: hello"}, {"id": 7134, "text": "7134: 612"}),
        (["u-17", {"u-17": "u-17"}], ["u-99", {"u-17": "u-99"}]),
        ({"text": "u-1", "ok": True, "none": None, "vk": "vk"}, {"text": "u-1", "ok": True, "none": None, "vk": "vk"}),
        # A number stays a number.
        ({"number": 612.0}, {"number": 612.0}),
    ],
)
def test_values_are_the_other_users(answer, wanted):
    """All at once, so that nothing is replaced twice; keys and what is too short to tell anything stay."""
    assert rebased(answer, ANNA, BORIS) == wanted


@given(values)
def test_nothing_is_to_be_said_otherwise_of_oneself(value):
    """Nor of somebody of whom the other request tells nothing."""
    assert rebased(value, ANNA, ANNA) is value
    assert rebased(value, ANNA, {}) is value


@given(st.dictionaries(st.text(max_size=3), values, max_size=3))
def test_there_and_back(value):
    """Whoever has other values and gets them back has what there was."""
    other = {"userId": "\ue000\ue001\ue002", "channelType": "vk"}
    own = {"userId": "u-17", "channelType": "vk"}
    assert rebased(rebased(value, own, other), other, own) == value
