from __future__ import annotations

import json

import pytest

from aimyproxy.cli.mock_command import condition, when
from aimyproxy.errors import InvalidOption


@pytest.mark.parametrize(
    ("given", "path", "wanted"),
    [
        ("channelType=telegram", "$.channelType", "telegram"),
        ("$.order.items[0].qty=2", "$.order.items[0].qty", 2),
        ("a=b=c", "$.a", "b=c"),
        ("a=", "$.a", ""),
        ('a={"one_of": [1, 2]}', "$.a", {"one_of": [1, 2]}),
        ("$['x=y']=1", "$['x=y']", 1),
        ("$[?@.a=='b']>=1", "$[?@.a=='b']", {"at_least": 1}),
        ('$["a]b"]?', '$["a]b"]', {"exists": True}),
        ("a~=^Ив|=", "$.a", {"matches": "^Ив|="}),
        ("a>=1.5", "$.a", {"at_least": 1.5}),
        ("a<=1", "$.a", {"at_most": 1}),
        ("a>-1", "$.a", {"above": -1}),
        ("a<1", "$.a", {"below": 1}),
        ("a.b?", "$.a.b", {"exists": True}),
        ("a!", "$.a", {"exists": False}),
    ],
)
def test_the_forms_of_when(given, path, wanted):
    """As the help lists them."""
    assert condition(given) == (path, wanted)


@pytest.mark.parametrize("given", ["", "a", "=1", "?", "a>x", "a>=true", "a<", "$.a[=1", "a!=1"])
def test_what_is_no_condition_is_refused(given):
    """With the forms that there are, or what is wrong with the number."""
    with pytest.raises(InvalidOption, match="has to be"):
        condition(given)


def test_two_bounds_of_one_path_are_a_range():
    """All else about one path contradicts itself."""
    assert when(["qty>=2", "qty<5", "name=Иван"]) == {"$.qty": {"at_least": 2, "below": 5}, "$.name": "Иван"}
    for given in (["a=1", "a=2"], ["a>1", "a>2"], ["a>1", "a?"], ["a={}", "a>1"]):
        with pytest.raises(InvalidOption, match=r"is about \$\.a, as another --when is"):
            when(given)


def test_a_merging_mock_with_conditions_is_written(aimyproxy, shop):
    """As it stands in the file."""
    arguments = ("mock", "shop", "start", "--answer", '{"a": "{{ name }}"}', "--merge", "--when", "name~=^Ив")
    assert aimyproxy(*arguments)[0] == 0
    expected = {"event": "start", "when": {"$.name": {"matches": "^Ив"}}, "merge": True, "answer": {"a": "{{ name }}"}}
    assert shop.mocks.read() == [(1, expected)]


def test_a_fault_may_stand_alone(aimyproxy, shop):
    """No editor opens for an answer that it needs not."""
    assert aimyproxy("mock", "shop", "start", "--fault", "500:30%", "--when", "channelType=vk")[0] == 0
    assert aimyproxy("mock", "shop", "start", "--fault", "slow", "--answer", "{}")[0] == 0
    lone = {"event": "start", "when": {"$.channelType": "vk"}, "fault": "500:30%"}
    assert shop.mocks.read() == [(1, lone), (2, {"event": "start", "fault": "slow", "answer": {}})]


def test_a_mock_is_disabled_and_enabled(aimyproxy, shop):
    """It stays in the file."""
    aimyproxy("mock", "shop", "start", "--text", "a")
    assert aimyproxy("mock", "shop", "--disable", 1)[::2] == (0, "Mock 1 answers nothing until --enable.\n")
    assert shop.mocks.read() == [(1, {"event": "start", "text": "a", "enabled": False})]
    assert aimyproxy("mock", "shop", "--enable", 1)[::2] == (0, "Mock 1 answers again.\n")
    assert shop.mocks.read() == [(1, {"event": "start", "text": "a", "enabled": True})]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["shop"], "Missing argument 'EVENT'"),
        (["shop", "start", "--disable", 1], "alone"),
        (["shop", "--disable", 1, "--enable", 1], "alone"),
        (["shop", "--disable", 1, "--status", 200], "alone"),
        (["shop", "--enable", 9], "Recording shop has no mock 9 (there: none)."),
        (["shop", "start", "--answer", '{"a": "{{"}'], "answer.a: the template is wrong at its line 1"),
        (["shop", "start", "--text", "{% x %}"], "text: the template is wrong"),
        (["shop", "start", "--fault", "boom"], "fault: 'boom' is no fault: write timeout, reset, slow"),
        (["shop", "start", "--text", "a", "--merge"], "merge needs an answer that is an object"),
        (["shop", "start", "--text", "a", "--when", "a~=(a+)+$"], "could take for ever"),
    ],
)
def test_wrong_usage_saves_nothing(aimyproxy, shop, arguments, said):
    """Status 2."""
    status, _, err = aimyproxy("mock", *arguments)
    assert (status, said in err) == (2, True)
    assert not shop.mocks.path.exists()


def test_a_broken_template_typed_in_an_editor_stays_in_the_draft(aimyproxy, shop, editor):
    """As broken JSON does."""
    editor("{", '{"a": "{{"')
    assert aimyproxy("mock", "shop", "start")[0] == 2
    assert '"{{"' in (shop.folder / "draft-mock-start.json").read_text()
    editor('"{{"', '"b"')
    assert aimyproxy("mock", "shop", "start")[0] == 0
    assert shop.mocks.read() == [(1, {"event": "start", "answer": {"a": "b"}})]


def test_the_schema_is_printed(aimyproxy):
    """JSON, on standard output, and nothing else."""
    status, out, err = aimyproxy("mock", "--schema")
    assert (status, err) == (0, "")
    assert json.loads(out)["title"] == "mocks.json of aimyproxy"
