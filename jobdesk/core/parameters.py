"""The parameters of a job type in words, from their JSON Schema."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Parameter:
    """One of them; `default` as JSON, or the word required."""

    name: str
    kind: str
    default: str
    about: str


def parameters(schema: Mapping[str, Any]) -> Iterator[Parameter]:
    """Those of a payload's schema, in their order."""
    required = schema.get("required", [])
    for name, about in schema.get("properties", {}).items():
        default = "required" if name in required else json.dumps(about.get("default"), ensure_ascii=False)
        yield Parameter(name, kind(about, schema), default, about.get("description", ""))


def kind(about: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """A JSON Schema as a few words: string, integer, list of integer, one of a|b."""
    if "$ref" in about:
        about = schema.get("$defs", {}).get(about["$ref"].rpartition("/")[2], {})
    if "enum" in about:
        return "one of " + "|".join(map(str, about["enum"]))
    if "anyOf" in about:
        return " or ".join(kind(one, schema) for one in about["anyOf"])
    if about.get("type") == "array":
        return f"list of {kind(about.get('items', {}), schema)}"
    return str(about.get("format") or about.get("type") or "any")
