"""The table of routes as an OpenAPI 3.1 document."""

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from jobdesk import __version__
from jobdesk.web.errors import STATUSES
from jobdesk.web.route import Route

_REF = "#/components/schemas/{model}"
_ABOUT = """The job desk of one machine over HTTP.

Each address is served on `/api/v1`, `/api` and `/`. They differ in one thing: what `status` says of a job. On `/api/v1`
it is one of the nine states; on the others it is in the words of Bull (waiting, active, delayed, completed, failed,
cancelled, expired). `state` is one of the nine everywhere, and `status=` in a query takes either.

Spans are milliseconds where they are numbers, and may be text like 5s or 2m. `x-user-id` says for whom something is
done; with an `x-user-role` other than admin only this user's own jobs can be seen and changed, and what is for admins
is refused."""
USER, ROLE = "^[!-~]([ -~]{0,98}[!-~])?$", "^[A-Za-z][A-Za-z0-9_-]{0,29}$"
"""What x-user-id and x-user-role may be."""
_HEADERS = (
    ("x-user-id", "For whom: the user of the job, and in the audit log.", USER),
    ("x-user-role", "admin, as if it were not there; anything else: only this user's own jobs.", ROLE),
)
_REFUSALS = {
    400: "Something that was given is wrong; the message says what.",
    401: "The token is missing or wrong.",
    403: "Not allowed: another user's, only for admins, --read-only, another host or page.",
    404: "It is not there.",
    409: "Not from this state.",
    413: "The body is too long.",
    415: "The body is not application/json.",
    429: "Too many requests; Retry-After says when.",
    500: "Something went wrong inside.",
    503: "Not now: a queue is full, or the ledger cannot be used.",
}


def describe(table: Sequence[Route], *, with_token: bool) -> dict[str, Any]:
    """The document; the same for the same table."""
    schemas = _Schemas(table)
    paths: dict[str, dict[str, Any]] = {}
    for route in table:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas, with_token)
    made: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {"title": "jobdesk", "version": __version__, "description": _ABOUT},
        "servers": [{"url": "/api/v1"}, {"url": "/api"}, {"url": "/"}],
        "tags": [{"name": tag} for tag in sorted({route.tag for route in table})],
        "paths": paths,
        "components": {
            "schemas": schemas.every,
            "parameters": {name: _header(name, about, pattern) for name, about, pattern in _HEADERS},
            "responses": {f"Refused{status}": _refused(status) for status in _REFUSALS},
        },
    }
    if with_token:
        made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        made["security"] = [{"token": []}]
    return made


class _Schemas:
    """The shapes of bodies and answers, each under its own name."""

    def __init__(self, table: Sequence[Route]) -> None:
        wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
        for route in table:
            if route.body is not None:
                wanted[route.body, "validation"] = None
            if route.answers is not None:
                wanted[route.answers, "serialization"] = None
        self._refs, made = models_json_schema(list(wanted), ref_template=_REF)
        self.every: dict[str, Any] = made.get("$defs", {})
        self.every["Error"] = _ERROR

    def body(self, model: type[BaseModel]) -> dict[str, Any]:
        return self._refs[model, "validation"]

    def answer(self, route: Route) -> dict[str, Any]:
        data: dict[str, Any] = {"type": "object"}
        if route.answers is not None:
            data = self._refs[route.answers, "serialization"]
        if route.many:
            data = {"type": "array", "items": data}
        if route.bare:
            return data
        properties: dict[str, Any] = {"success": {"type": "boolean"}, "data": data}
        if "limit" in (route.query.model_fields if route.query else {}) and "page" in (
            route.query.model_fields if route.query else {}
        ):
            properties["pagination"] = _PAGINATION
        return {"type": "object", "required": list(properties), "properties": properties}


_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["success", "error"],
    "properties": {
        "success": {"const": False},
        "error": {
            "type": "object",
            "required": ["code", "message"],
            "properties": {
                "code": {"type": "string", "examples": sorted(STATUSES)},
                "message": {"type": "string", "description": "One sentence: what is wrong, and what mends it."},
            },
        },
    },
}
_PAGINATION: dict[str, Any] = {
    "type": "object",
    "required": ["page", "limit", "total", "exact", "totalPages", "next"],
    "properties": {
        "page": {"type": ["integer", "null"]},
        "limit": {"type": "integer"},
        "total": {"type": "integer"},
        "exact": {"type": "boolean", "description": "false: there are at least so many."},
        "totalPages": {"type": "integer"},
        "next": {"type": ["string", "null"], "description": "The cursor of the next page; null: there is none."},
    },
}


def _operation(route: Route, schemas: _Schemas, with_token: bool) -> dict[str, Any]:
    summary, _, more = route.about.partition("\n")
    made: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": summary,
        "parameters": [*_parameters(route)],
        "responses": {
            str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in _statuses(route, with_token)
        },
    }
    if more.strip() or route.admin:
        made["description"] = "\n".join(part for part in (more.strip(), "Only for admins." * route.admin) if part)
    if route.body is not None:
        content = {"application/json": {"schema": schemas.body(route.body)}}
        made["requestBody"] = {"required": not route.body_optional, "content": content}
    content = {"application/json": {"schema": schemas.answer(route)}} if route.text is None else {}
    if route.text is not None:
        content = {route.text.partition(";")[0]: {"schema": {"type": "string"}}}
    done = {"description": "Done.", "content": content}
    made["responses"][str(route.status)] = done
    if route.status == 201:
        made["responses"]["200"] = {**done, "description": "It was there already."}
    if route.tag == "health":
        made["responses"]["503"] = {**done, "description": "`status` is error."}
    made["responses"] = dict(sorted(made["responses"].items()))
    return made


def _statuses(route: Route, with_token: bool) -> Iterator[int]:
    yield from (400, 403, 429, 500, 503)
    if with_token:
        yield 401
    if route.parts or route.changes or route.query is not None:
        yield 404
    if route.changes:
        yield 409
    yield 413
    if route.body is not None:
        yield 415


def _parameters(route: Route) -> Iterator[dict[str, Any]]:
    for name in route.parts:
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
    if route.query is not None:
        schema = route.query.model_json_schema(ref_template=_REF)
        for name, about in schema["properties"].items():
            shape = {key: value for key, value in about.items() if key not in ("title", "description")}
            if len(several := shape.pop("anyOf", [])) == 2:  # or null, which a query cannot say: it is left out
                shape |= several[0]
                shape.pop("default", None)
            yield {
                "name": name,
                "in": "query",
                "required": name in schema.get("required", []),
                "schema": shape,
                **({"description": about["description"]} if "description" in about else {}),
            }
    for name, _, _ in _HEADERS:
        yield {"$ref": f"#/components/parameters/{name}"}


def _header(name: str, about: str, pattern: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": about, "schema": {"type": "string", "pattern": pattern}}


def _refused(status: int) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {"description": _REFUSALS[status], "content": content}
