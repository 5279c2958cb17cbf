"""As much of JSON Schema (draft 2020-12) as mocks.schema.json uses."""

from __future__ import annotations

import re
from importlib import resources

from aimyproxy import jsonvalue

SCHEMA = jsonvalue.loads((resources.files("aimyproxy.answering") / "mocks.schema.json").read_text(encoding="utf-8"))
ANNOTATIONS = {"$schema", "$defs", "title", "description", "default", "examples"}
OBJECT = ("object",)
ARRAY = ("array",)


def valid(value, schema=SCHEMA):
    """Whether the schema accepts the value; fails at a keyword that is not known here."""
    if isinstance(schema, bool):
        return schema
    return all(CHECKS[word](value, schema[word], schema) for word in schema if word not in ANNOTATIONS)


def _of_kind(kinds, check):
    return lambda value, wanted, schema: jsonvalue.kind_of(value) not in kinds or check(value, wanted, schema)


def _type(value, wanted, _schema):
    kinds = wanted if isinstance(wanted, list) else [wanted]
    whole = jsonvalue.kind_of(value) == "number" and value == int(value)
    return jsonvalue.kind_of(value) in kinds or ("integer" in kinds and whole)


def _reference(value, wanted, _schema):
    return valid(value, SCHEMA["$defs"][wanted.removeprefix("#/$defs/")])


def _if(value, condition, schema):
    return valid(value, schema.get("then" if valid(value, condition) else "else", True))


def _others(value, wanted, schema):
    return all(valid(member, wanted) for name, member in value.items() if name not in schema.get("properties", {}))


def _members(value, wanted, _schema):
    return all(valid(value[name], inner) for name, inner in wanted.items() if name in value)


CHECKS = {
    "$ref": _reference,
    "type": _type,
    "if": _if,
    "then": lambda *_: True,
    "else": lambda *_: True,
    "anyOf": lambda value, wanted, _: any(valid(value, one) for one in wanted),
    "oneOf": lambda value, wanted, _: sum(valid(value, one) for one in wanted) == 1,
    "const": lambda value, wanted, _: jsonvalue.same(value, wanted),
    "enum": lambda value, wanted, _: any(jsonvalue.same(value, one) for one in wanted),
    "minimum": _of_kind(("number",), lambda value, wanted, _: value >= wanted),
    "maximum": _of_kind(("number",), lambda value, wanted, _: value <= wanted),
    "pattern": _of_kind(("string",), lambda value, wanted, _: re.search(wanted, value) is not None),
    "maxLength": _of_kind(("string",), lambda value, wanted, _: len(value) <= wanted),
    "minItems": _of_kind(ARRAY, lambda value, wanted, _: len(value) >= wanted),
    "maxItems": _of_kind(ARRAY, lambda value, wanted, _: len(value) <= wanted),
    "items": _of_kind(ARRAY, lambda value, wanted, _: all(valid(one, wanted) for one in value)),
    "prefixItems": _of_kind(ARRAY, lambda value, wanted, _: all(map(valid, value, wanted))),
    "properties": _of_kind(OBJECT, _members),
    "additionalProperties": _of_kind(OBJECT, _others),
    "propertyNames": _of_kind(OBJECT, lambda value, wanted, _: all(valid(name, wanted) for name in value)),
    "required": _of_kind(OBJECT, lambda value, wanted, _: all(name in value for name in wanted)),
    "minProperties": _of_kind(OBJECT, lambda value, wanted, _: len(value) >= wanted),
    "maxProperties": _of_kind(OBJECT, lambda value, wanted, _: len(value) <= wanted),
}
