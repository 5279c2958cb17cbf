"""Templates: the strings of a mock's answer that are written anew for each request."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from random import SystemRandom
from typing import TYPE_CHECKING, Any, Final

from aimyproxy import jsonvalue
from aimyproxy.errors import InvalidDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from aimyproxy.answering.sandbox import Sandbox
    from aimyproxy.jsonvalue import JSON, Path

_MARKS: Final = ("{{", "{%")
_LONGEST_PROBLEM: Final = 200
_random: Final = SystemRandom()


class TemplateFailed(Exception):
    """A template can't be rendered for this request; `member` is its path in the mock, `problem` says why."""

    def __init__(self, member: str, problem: str) -> None:
        super().__init__(f"{member}: {problem}")
        self.member = member
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Template:
    """A string with templates in it; `member` is where it stands, as in `answer.items[0].title`.

    It stands in the place of the string in a tree that is JSON otherwise. A string that is one expression and nothing
    else makes a value of any JSON type, unless `as_text`.
    """

    member: str
    source: str
    as_text: bool = False
    _make: Callable[[dict[str, Any]], JSON] = field(repr=False, compare=False, default=str)

    @classmethod
    def parse(cls, source: str, member: str, *, as_text: bool = False) -> Template:
        """The compiled template; raises InvalidDocument naming the member and the line in the string."""
        from jinja2 import TemplateSyntaxError

        try:
            make = _compiled(source, as_text=as_text)
        except TemplateSyntaxError as error:
            problem = f"the template is wrong at its line {error.lineno}: {str(error.message).rstrip('.')}"
            raise InvalidDocument(f"{member}: {problem}") from None
        except (SyntaxError, RecursionError, ValueError, OverflowError, MemoryError) as error:
            raise InvalidDocument(f"{member}: the template can't be compiled: {type(error).__name__}") from None
        return cls(member, source, as_text, make)

    def rendered(self, names: dict[str, Any]) -> JSON:
        """The value for a request.

        Raises:
            TemplateFailed: for whatever reason: what a template does is not ours to foresee.
        """
        try:
            return self._make(names)
        except Exception as error:
            raise TemplateFailed(self.member, _problem(error)) from None


def compiled(value: JSON, member: str, *, as_text: bool = False) -> JSON:
    """The value with a Template for each string that is one, or None where none is.

    Raises:
        InvalidDocument: naming the template that is wrong; `member` is what the value is called.
    """
    if not any(mark in text for text in _strings(value) for mark in _MARKS):
        return None
    if jsonvalue.too_deep(value):
        raise InvalidDocument(f"{member} is nested too deep")
    return _tree(value, (), member, as_text=as_text)


def filled(tree: JSON, variables: Mapping[str, JSON], count: int) -> JSON:
    """The tree with each Template rendered for a request of these variables, its event's `count`-th; from 1.

    Raises:
        TemplateFailed: one of them can't be rendered.
    """
    return _filled(tree, _names(variables, count))


def now() -> datetime:
    """This moment, in UTC."""
    return datetime.now(UTC)


def new_uuid() -> str:
    """A random UUID."""
    return str(uuid.uuid4())


def choice(values: list[JSON]) -> JSON:
    """One of the values by chance."""
    if not isinstance(values, list | tuple | str | range) or not values:
        raise TypeError("choice() needs a list that is not empty")
    return _random.choice(values)


def random(low: float, high: float) -> float:
    """A number by chance, from `low` to `high` inclusive: a whole one where both are."""
    if not all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in (low, high)) or low > high:
        raise TypeError("random() needs two numbers, the lower first")
    if isinstance(low, int) and isinstance(high, int):
        return _random.randint(low, high)
    return _random.uniform(low, high)


def _names(variables: Mapping[str, JSON], count: int) -> dict[str, Any]:
    from aimyproxy.answering.budget import Budget
    from aimyproxy.answering.sandbox import BUDGET

    # Ours behind the variables: they mean the same in every mock, and a variable of that name is in `request`.
    own = {"request": variables, "count": count, "now": now, "uuid": new_uuid, "choice": choice, "random": random}
    return {**variables, **own, BUDGET: Budget()}


def _compiled(source: str, *, as_text: bool) -> Callable[[dict[str, Any]], JSON]:
    from jinja2 import nodes

    from aimyproxy.answering.budget import as_json, weigh
    from aimyproxy.answering.sandbox import BUDGET

    sandbox = _sandbox()
    tree = sandbox.parse(source)
    expression = None if as_text else _only_expression(tree)
    if expression is None:
        template = sandbox.from_string(tree)
        return lambda names: "".join(template.root_render_func(template.new_context(names)))
    target = nodes.Name("result", "store", lineno=1)
    alone = nodes.Template([nodes.Assign(target, expression, lineno=1)], lineno=1)
    alone.set_environment(sandbox)
    assigning = sandbox.from_string(alone)

    def evaluate(names: dict[str, Any]) -> JSON:
        context = assigning.new_context(names)
        for _ in assigning.root_render_func(context):
            pass
        value = as_json(context.vars["result"])
        names[BUDGET].step(weigh(value))
        return value

    return evaluate


@cache
def _sandbox() -> Sandbox:
    # 50 ms to import, for those who have templates.
    from aimyproxy.answering.sandbox import Sandbox

    return Sandbox()


def _only_expression(tree: Any) -> Any:
    """The one expression that the template is, or None where it is more."""
    from jinja2 import nodes

    if len(tree.body) == 1 and isinstance(tree.body[0], nodes.Output) and len(tree.body[0].nodes) == 1:
        return tree.body[0].nodes[0]
    return None


def _strings(value: JSON) -> Iterator[str]:
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, dict):
            pending += one.values()
        elif isinstance(one, list):
            pending += one


def _tree(value: JSON, path: Path, member: str, *, as_text: bool) -> JSON:
    if isinstance(value, dict):
        return {name: _tree(inner, (*path, name), member, as_text=as_text) for name, inner in value.items()}
    if isinstance(value, list):
        return [_tree(inner, (*path, index), member, as_text=as_text) for index, inner in enumerate(value)]
    if isinstance(value, str) and any(mark in value for mark in _MARKS):
        return Template.parse(value, member + jsonvalue.path_text(path)[1:], as_text=as_text)
    return value


def _filled(tree: JSON, names: dict[str, Any]) -> JSON:
    if isinstance(tree, Template):
        return tree.rendered(names)
    if isinstance(tree, dict):
        return {name: _filled(inner, names) for name, inner in tree.items()}
    if isinstance(tree, list):
        return [_filled(inner, names) for inner in tree]
    return tree


def _problem(error: Exception) -> str:
    from jinja2 import TemplateError

    said = str(error) if isinstance(error, TemplateError | TypeError) else f"{type(error).__name__}: {error}"
    said = said or type(error).__name__
    return said if len(said) <= _LONGEST_PROBLEM else said[: _LONGEST_PROBLEM - 1] + "…"
