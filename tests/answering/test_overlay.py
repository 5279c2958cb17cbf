"""Mocks laid over an index that stays as it is."""

from __future__ import annotations

import json

from aimyproxy.answering.index import Index
from aimyproxy.answering.mocks import Mock
from aimyproxy.answering.replayer import Replayer
from tests.builders import exchange, request


def mock(identity, answer, **members):
    return Mock.parse(identity, {"event": "start", "answer": answer, **members})


def answered(replayer, **changes):
    return json.loads(replayer.answer(request(**changes))[1].body)


def test_the_index_below_stays_as_it_is():
    """Its mocks, its counts, its events."""
    index = Index.build([(1, exchange())], [mock(1, "file")])
    other = index.overlaid([mock(-1, "laid over"), Mock.parse(-2, {"event": "order", "answer": {}})])
    assert (index.summary(), other.summary()) == (
        "1 exchange, 1 mock, 1 event",
        "1 exchange, 3 mocks, 2 events",
    )
    assert (answered(Replayer(index)), answered(Replayer(other))) == ("file", "laid over")
    assert index.overlaid([]) is index


def test_of_equals_the_last_one_laid_over_wins():
    """Over the others and over the file's; one with more conditions wins over all, wherever it is."""
    index = Index.build([], [mock(1, "file"), mock(2, "file, special", when={"$.name": "Анна"})])
    replayer = Replayer(index)
    replayer.overlay([mock(-1, "first"), mock(-2, "second")])
    assert answered(replayer) == "second"
    assert answered(replayer, name="Анна") == "file, special"
    replayer.overlay([mock(-1, "first", when={"$.name": "Анна"}), mock(-2, "second")])
    assert answered(replayer, name="Анна") == "first"


def test_what_merges_is_laid_over_what_stands_below():
    """Another overlaid mock, one of the file, the recording."""
    replayer = Replayer(Index.build([(1, exchange())], [mock(1, {"a": 1, "b": 1, "c": 1})]))
    replayer.overlay([mock(-1, {"b": 2, "c": 2}, merge=True), mock(-2, {"c": 3}, merge=True)])
    assert answered(replayer) == {"a": 1, "b": 2, "c": 3}
    replayer.overlay([mock(-3, {"greeting": "Hi"}, merge=True, when={"$.name": "Иван"})])
    assert answered(replayer) == {"a": 1, "b": 1, "c": 1, "greeting": "Hi"}


def test_it_stays_when_the_index_is_exchanged():
    """As it is when the recording's files were edited; a new overlay takes the place of the one before."""
    replayer = Replayer(Index.build([(1, exchange())]))
    replayer.overlay([mock(-1, "laid over")])
    replayer.index = Index.build([], [mock(1, "edited")])
    assert answered(replayer) == "laid over"
    replayer.overlay([])
    assert answered(replayer) == "edited"
