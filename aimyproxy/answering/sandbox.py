"""The sandbox of templates: Jinja2 without access to Python, and with bounds on time, steps and sizes.

Jinja2's own sandbox keeps templates away from Python's inner life. What it leaves open is how much a template may do;
so here every loop step, every call and every output is counted, and whatever could make something huge at one stroke
(`*`, `%`, formats, joins) is measured before it is done. Imported only where there is a template: it costs 50 ms.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, Final

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes, pass_context, pass_environment
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS, make_attrgetter
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from aimyproxy import jsonvalue
from aimyproxy.answering.budget import (
    Budget,
    as_json,
    check_power,
    check_times,
    refuse_large,
    refuse_wide,
    spelled,
    weigh,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from jinja2 import Environment
    from jinja2.runtime import Context

BUDGET: Final = " budget"
"""Where a context has its Budget; no template can spell the name."""

_FILTERS: Final = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "first", "float", "format", "groupby", "int", "items"),
    *("last", "length", "list", "lower", "map", "max", "min", "random", "reject", "rejectattr", "reverse", "round"),
    *("select", "selectattr", "sort", "title", "trim", "truncate", "unique", "upper", "urlencode", "wordcount"),
)
_DENIED: Final = frozenset(
    {"center", "encode", "expandtabs", "format_map", "from_bytes", "ljust", "rjust", "to_bytes", "translate", "zfill"}
)


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of all templates. `request.items` is the member `items` where there is one."""

    intercepted_binops = frozenset({"+", "*", "**", "%"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            autoescape=False,
            keep_trailing_newline=True,
            # So that nothing is computed at load, where no budget holds.
            optimized=False,
            finalize=_put_out,
        )
        self.globals = {name: self.globals[name] for name in ("range", "dict", "namespace")}
        self.filters = {name: _weighed(FILTERS[name]) for name in _FILTERS} | {
            "concatenated": _concatenated,
            "join": _join,
            "metered": _metered,
            "replace": _replace,
            "string": spelled,
            "sum": _sum,
            "tojson": _tojson,
        }
        self.filters["format"] = _weighed(_formatted)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Metering().visit(super()._parse(source, name, filename))
        tree.set_environment(self)
        return tree

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A member before a method of the same name."""
        if isinstance(obj, dict) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """What may be huge at one stroke is not safe either."""
        return attr not in _DENIED and super().is_safe_attribute(obj, attr, value)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """As Jinja2's, which keeps formats from attributes, but not from widths."""
        wrapped = super().wrap_str_format(value)
        if wrapped is not None:
            refuse_wide(value.__self__)
        return wrapped

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call what the template calls, unless that is too much."""
        _budget(context).step()
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        weigh(owner, args, kwargs)
        if name == "strftime":
            refuse_wide(*args)
        if isinstance(owner, str) and name == "join":
            return _joined(owner, *args)
        if isinstance(owner, str) and name == "replace":
            return _replace(owner, *args, **kwargs)
        return super().call(context, obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Compute what can be large, unless it is too large."""
        _budget(context).step()
        weigh(left, right)
        if operator == "*":
            check_times(left, right)
        elif operator == "**":
            check_power(left, right)
        elif operator == "%" and isinstance(left, str):
            refuse_wide(left)
        return super().call_binop(context, operator, left, right)


class _Metering(NodeTransformer):
    """Rewrites a template so that all that it loops over, puts out and joins goes through the budget."""

    def visit_For(self, node: nodes.For) -> nodes.For:
        """Loops take their elements from the filter `metered`."""
        if node.recursive:
            raise TemplateSyntaxError("recursive loops are not allowed", node.lineno)
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "metered")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:
        """`a ~ b` is what the filter `concatenated` makes of `[a, b]`."""
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "concatenated")

    def visit_TemplateData(self, node: nodes.TemplateData) -> nodes.Const:
        """Constant text is put out as expressions are, and so counted."""
        return nodes.Const(node.data, lineno=node.lineno)


def _filtered(node: Any, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _budget(context: Context) -> Budget:
    budget = context.get(BUDGET)
    if not isinstance(budget, Budget):
        raise SecurityError("it calls something that can't be counted")
    return budget


@pass_context
def _put_out(context: Context, value: Any) -> str:
    text = spelled(value)
    _budget(context).step(len(text))
    return text


@pass_context
def _metered(context: Context, values: Iterable[Any]) -> Iterator[Any]:
    budget = _budget(context)
    for value in values:
        budget.step()
        yield value


def _weighed(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def checked(*args: Any, **kwargs: Any) -> Any:
        weigh(args, kwargs)
        result = function(*args, **kwargs)
        return _weighed_elements(result) if isinstance(result, Iterator) else result

    return checked


def _weighed_elements(values: Iterator[Any]) -> Iterator[Any]:
    weight = 0
    for value in values:
        weight += weigh(value)
        refuse_large(weight)
        yield value


@pass_environment
def _join(environment: Environment, values: Iterable[Any], separator: Any = "", attribute: Any = None) -> str:
    if attribute is not None:
        values = map(make_attrgetter(environment, attribute), values)
    return _joined(spelled(separator), values)


def _joined(separator: str, values: Iterable[Any]) -> str:
    parts = [spelled(value) for value in _weighed_elements(iter(values))]
    refuse_large(weigh(parts) + len(parts) * len(separator))
    return separator.join(parts)


@pass_environment
def _sum(environment: Environment, values: Iterable[Any], attribute: Any = None) -> Any:
    if attribute is not None:
        values = map(make_attrgetter(environment, attribute), values)
    return sum(_weighed_elements(iter(values)))


def _concatenated(values: list[Any]) -> str:
    weigh(values)
    return "".join(spelled(value) for value in values)


def _replace(text: Any, old: Any, new: Any, count: int = -1) -> str:
    whole, before, after = spelled(text), spelled(old), spelled(new)
    refuse_large(len(whole) + whole.count(before) * len(after))
    return whole.replace(before, after, -1 if count is None else count)


def _tojson(value: Any) -> str:
    return jsonvalue.dumps(as_json(value)).decode()


def _formatted(template: Any, *args: Any, **kwargs: Any) -> str:
    refuse_wide(template)
    return str(template % (kwargs or args))
