"""What is redacted in a recording."""

import pytest

from aimyproxy.errors import InvalidDocument
from aimyproxy.redaction.rules import SECRETS, Rules


def test_they_are_kept_as_they_were_told():
    """And read again."""
    rules = Rules.parse(["$.order.card", "personal", "$.order.card"])
    assert rules.document() == ["secrets", "personal", "$.order.card"]
    assert Rules.from_document(rules.document()) == rules
    assert Rules.from_document(["secrets"]) == SECRETS


@pytest.mark.parametrize("wanted", ["order.card", "secret", "$.[", ""])
def test_what_is_no_rule(wanted):
    """It is named."""
    with pytest.raises(InvalidDocument, match="JSONPath"):
        Rules.parse([wanted])


@pytest.mark.parametrize("document", [None, "secrets", {"personal": True}, [1]])
def test_what_a_recording_can_not_keep(document):
    """The shape is told."""
    with pytest.raises(InvalidDocument, match="has to be a list"):
        Rules.from_document(document)


def test_more_and_less():
    """Rules cover those that name nothing else."""
    personal, card = Rules.parse(["personal"]), Rules.parse(["$.card"])
    both = personal.with_more(card)
    assert both.covers(personal)
    assert both.covers(card)
    assert not personal.covers(card)
    assert personal.covers(SECRETS)
    assert both.with_more(card) == both
