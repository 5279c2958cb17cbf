from __future__ import annotations

import re
import time
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimyproxy.answering.templates import Template, TemplateFailed, compiled, filled
from aimyproxy.errors import InvalidDocument
from tests.strategies import objects, values

VARIABLES = {
    "name": "Иван",
    "order": {"items": [{"sku": "P-1", "qty": 2}, {"sku": "P-2", "qty": 3}], "total": 10.5},
    "paid": True,
    "promo": None,
    "qty": "7",
    "count": "a variable",
}


def rendered(source, variables=VARIABLES, count=3):
    return filled(compiled(source, "answer"), variables, count)


def problem(source):
    with pytest.raises(TemplateFailed) as caught:
        rendered(source)
    assert caught.value.member == "answer"
    assert len(caught.value.problem) <= 200
    return caught.value.problem


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("Привет, {{ name }}!", "Привет, Иван!"),
        ("{{ name }}", "Иван"),
        ("{{ order.total }}", 10.5),
        ("{{ order.items }}", VARIABLES["order"]["items"]),
        ("{{ order }}", VARIABLES["order"]),
        ("{{ paid }}", True),
        ("{{ promo }}", None),
        ("{{ qty|int * 2 }}", 14),
        (" {{ paid }}", " true"),
        ("{{ promo }}, {{ order.items[0] }}", 'null, {"sku":"P-1","qty":2}'),
        ("{{ name }}\n", "Иван\n"),
        ("{{ count }}", 3),
        ("{{ request.count }}", "a variable"),
        ("{{ request['order']['items']|length }}", 2),
        ("{{ order.items|map(attribute='qty')|sum }}", 5),
        ("{{ order.items|map(attribute='sku')|join(', ') }}", "P-1, P-2"),
        ("{{ order.items|map(attribute='sku') }}", ["P-1", "P-2"]),
        ("{{ order.items|sum('qty') }}", 5),
        ("{{ order.items|join(', ', attribute='sku') }}", "P-1, P-2"),
        ("{{ order.items|tojson }}", '[{"sku":"P-1","qty":2},{"sku":"P-2","qty":3}]'),
        ("{% for i in order.items %}{{ loop.index }}:{{ i.sku }}{{ ';' if not loop.last }}{% endfor %}", "1:P-1;2:P-2"),
        ("{% if paid %}да{% else %}нет{% endif %}", "да"),
        ("{% set x = 1 %}", ""),
        ("{{ absent|default('гость') }}", "гость"),
        ("{{ 'да' if absent is defined else 'нет' }}", "нет"),
        ("{{ name ~ 1 ~ promo }}", "Иван1null"),
        ("{{ name.upper() }} {{ name|lower }} {{ name|replace('И', 'и') }}", "ИВАН иван иван"),
        ("{{ '%.2f'|format(order.total) }} {{ '{:.1f}'.format(order.total) }} {{ '%d' % 5 }}", "10.50 10.5 5"),
        ("{{ ', '.join(['a', 'b']) }} {{ 'aba'.replace('a', 'c', 1) }}", "a, b cba"),
        ("{{ 2 ** 10 + 7 % 4 }}", 1027),
        ("{{ range(3) }}", [0, 1, 2]),
        ("{{ (1, [2.5]) }}", [1, [2.5]]),
        ("{% raw %}{{ name }}{% endraw %}", "{{ name }}"),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice(name) }}", "ИванИван"),
        ("<b>{{ '<i>' }}", "<b><i>"),
    ],
)
def test_what_templates_make(source, value):
    """A string; the value itself, of its type, where one expression is all there is."""
    made = rendered(source)
    assert made == value
    assert type(made) is type(value)


def test_a_text_is_a_text():
    """Also where it is one expression."""
    assert filled(compiled("{{ paid }}", "text", as_text=True), VARIABLES, 1) == "true"


def test_the_functions():
    """Each time anew."""
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+\+00:00", rendered("{{ now() }}"))
    assert rendered("{{ now().isoformat() }}")[:10] == rendered("{{ now().strftime('%Y-%m-%d') }}")
    assert uuid.UUID(rendered("{{ uuid() }}")).version == 4
    assert rendered("{{ uuid() }}") != rendered("{{ uuid() }}")
    assert {rendered("{{ choice(['a', 'b']) }}") for _ in range(100)} == {"a", "b"}
    assert {rendered("{{ random(1, 3) }}") for _ in range(200)} == {1, 2, 3}
    assert 1 <= rendered("{{ random(1, 1.5) }}") <= 1.5
    assert problem("{{ choice([]) }}") == "choice() needs a list that is not empty"
    assert problem("{{ random(3, 1) }}") == "random() needs two numbers, the lower first"


def test_only_strings_with_marks_are_templates():
    """A tree without any is none."""
    assert compiled({"a": ["{ {", "}}", 1, None], "{{ key }}": "#}"}, "answer") is None
    tree = compiled({"a": ["{{ b }}", {"c d": "x{% if 1 %}{% endif %}"}, "e"]}, "answer")
    first, second = Template("answer.a[0]", "{{ b }}"), Template("answer.a[1]['c d']", "x{% if 1 %}{% endif %}")
    assert tree == {"a": [first, {"c d": second}, "e"]}


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ name", "line 1"),
        ("a\n\n{{ a b }}", "line 3"),
        ("\n{% bogus %}", "line 2: Encountered unknown tag 'bogus'"),
        ("{{ name|nofilter }}", "No filter named 'nofilter'"),
        ("{{ name|attr('x') }}", "No filter named 'attr'"),
        ("{% for a in b recursive %}{% endfor %}", "recursive loops"),
        ("{{ " + "(" * 500 + " }}", "can't be compiled"),
        ("{% if 1 %}" * 30 + "{% endif %}" * 30 + "{% for a in b %}" * 30 + "{% endfor %}" * 30, "can't be compiled"),
    ],
)
def test_a_template_that_is_none_is_refused_when_the_mock_is_read(source, said):
    """Naming the member and the line."""
    with pytest.raises(InvalidDocument) as caught:
        compiled({"items": [source]}, "answer")
    assert str(caught.value).startswith("answer.items[0]: the template ")
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ nmae }}", "'nmae' is undefined"),
        ("Привет, {{ nmae }}", "'nmae' is undefined"),
        ("{{ order.nope }}", "no attribute 'nope'"),
        ("{{ request.nope.more }}", "no attribute 'nope'"),
        ("{% for a in nope %}{% endfor %}", "'nope' is undefined"),
        ("{% for a in 5 %}{% endfor %}", "not iterable"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ name + 1 }}", "str"),
        ("{{ order.total() }}", "not callable"),
        ("{{ order.values }}", "is no JSON value"),
        ("{{ 1e300 * 1e300 }}", "inf is no JSON value"),
        ("{{ now }}", "a function is no JSON value"),
        ("{{ self }}", "is no JSON value"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
        ("{% include 'x' %}", "no loader"),
        ("{% import 'os' as os %}", "no loader"),
        ("{{ ['a']|sum }}", "unsupported operand"),
    ],
)
def test_what_a_template_cannot_do_is_said(source, said):
    """In Jinja2's or Python's words, without a traceback."""
    assert said in problem(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{ ''.__class__ }}",
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ request['__class__'] }}",
        "{{ now.__globals__ }}",
        "{{ now().__class__ }}",
        "{{ self._TemplateReference__context }}",
        "{{ namespace.__init__.__globals__ }}",
        "{{ [name]|map(attribute='__class__')|list }}",
        "{{ '{0.__class__.__init__.__globals__}'.format(name) }}",
        "{{ '{a.__class__}'.format(a=name) }}",
        "{{ '{0.__class__}'.format_map({'0': name}) }}",
        "{{ ('{0.__class__}'|string).format(name) }}",
        "{{ {}.update({'a': 1}) }}",
        "{{ request.update({'a': 1}) }}",
        "{{ order.items.append(1) }}",
        "{{ order.clear() }}",
        "{% set request.name = 1 %}",
        "{{ (1).to_bytes(5, 'big') }}",
    ],
)
def test_the_sandbox_holds(source):
    """Recordings are untrusted input, and so are the mocks that come with them."""
    assert problem(source)
    assert VARIABLES["name"] == "Иван"


GIANTS = {
    "a range": "{{ range(10**9)|list }}",
    "a string": "{{ 'x' * 10**9 }}",
    "a string, the other way round": "{{ 10**9 * 'x' }}",
    "a list": "{{ [1] * 10**9 }}",
    "a number": "{{ 10 ** 10 ** 10 }}{{ (10 ** 3000) ** 3000 }}",
    "a growing number": "{% set n = namespace(x=7) %}{% for i in range(99) %}{% set n.x = n.x * n.x %}{% endfor %}",
    "a growing string": "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x ~ n.x %}{% endfor %}",
    "a growing sum": "{% set n = namespace(x='a') %}{% for i in range(99) %}{% set n.x = n.x + n.x %}{% endfor %}",
    "a growing block": "{% set n = namespace(x='a') %}{% for i in range(99) %}"
    "{% set n.x %}{{ n.x }}{{ n.x }}{% endset %}{% endfor %}",
    "a growing list": "{% set n = namespace(x=['a']) %}{% for i in range(99) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
    "{{ n.x }}",
    "a deep list": "{% set n = namespace(x=[1]) %}{% for i in range(5000) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}",
    "a width": "{{ '%999999999d' % 1 }}",
    "a width from elsewhere": "{{ '%*d' % (999999999, 1) }}",
    "a width in a format": "{{ '{:999999999}'.format(1) }}",
    "a width in a format from elsewhere": "{{ '{:{}}'.format(1, 999999999) }}",
    "a width in a filter": "{{ '%999999999d'|format(1) }}",
    "a width of a date": "{{ now().strftime('%999999999d') }}",
    "padding": "{{ 'a'.ljust(10**9) }}",
    "replacing": "{{ ('a' * 9999).replace('', 'b' * 9999) }}",
    "replacing by a filter": "{{ ('a' * 9999)|replace('a', 'b' * 9999) }}",
    "joining": "{{ ('b' * 9999).join(['a'] * 9999) }}",
    "joining by a filter": "{{ (['a'] * 9999)|join('b' * 9999) }}",
    "mapping": "{{ range(99999)|map('string')|map('replace', '1', 'b' * 99999)|list }}",
    "output": "{% for i in range(9999) %}" + "a" * 999 + "{% endfor %}",
    "hidden output": "{% set x %}{% for i in range(9999) %}" + "a" * 999 + "{% endfor %}{% endset %}",
}


@pytest.mark.parametrize("source", GIANTS.values(), ids=GIANTS)
def test_nothing_becomes_huge(source):
    """Refused before it is made, in no time."""
    begun = time.process_time()
    assert problem(source)
    assert time.process_time() - begun < 3


@pytest.mark.parametrize(
    "source",
    [
        "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
        "{% for i in range(99999) %}{% for j in 'x' * 99999 %}{% endfor %}{% endfor %}",
        "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(100) }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% for i in range(99999) %}{{ range(99999)|list|sum }}{% endfor %}",
    ],
)
def test_nothing_goes_on_for_ever(source):
    """A second is more than any answer needs."""
    begun = time.process_time()
    assert problem(source)
    assert time.process_time() - begun < 5


def test_all_templates_of_an_answer_share_one_budget():
    """Many small ones are no way around it."""
    for source in ("{{ 'x' * 900000 }}", "a {{ 'x' * 900000 }}"):
        with pytest.raises(TemplateFailed) as caught:
            filled(compiled([source] * 3, "answer"), {}, 1)
        assert str(caught.value) == "answer[1]: it makes more than 1,000,000 characters"


@given(objects)
def test_every_request_can_be_repeated(variables):
    """Whatever its variables are called, they come back as they were."""
    assert rendered("{{ request }}", variables) == variables


@given(values)
def test_every_value_keeps_its_type(value):
    """None of them is a template."""
    assert rendered({"a": ["{{ v }}"]}, {"v": value}) == {"a": [value]}
    assert rendered("{{ '{{ x }}' }}", {"v": value}) == "{{ x }}"


WORDS = """{{ }} {% %} {# #} | ( ) [ ] . , ~ * % + - / ' 1 a v request count for in if else endif endfor set
endset macro endmacro range(9) map('x') now() __class__ is not and \\ {%- -%} raw endraw filter upper |list
|join '%s' v.a"""
PIECES = st.sampled_from(
    [*WORDS.split(), "{{ v }}", "{% for a in v %}", "{% endfor %}", "{{ v|", "\ud83d", "\x00", "\n"]
)


@given(st.lists(PIECES, max_size=12).map(" ".join), values)
def test_any_string_is_rendered_refused_or_fails(source, value):
    """Nothing but a value, an InvalidDocument or a TemplateFailed comes of it."""
    try:
        tree = compiled({"a": source}, "answer")
        if tree is not None:
            assert filled(tree, {"v": value, "a": 1}, 1).keys() == {"a"}
    except (InvalidDocument, TemplateFailed):
        return
