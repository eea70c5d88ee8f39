"""Who asks, and what stands in the path and the query: the same for requests and for sockets."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.requests import HTTPConnection

from jobdesk.core.errors import UsageError
from jobdesk.web import openapi
from jobdesk.web.errors import said_of
from jobdesk.web.route import Caller, Route


def caller_of(route: Route, connection: HTTPConnection) -> Caller:
    """Who asks, by the headers of a gateway.

    Raises:
        UsageError: they name nobody.
        Forbidden: the route is not for them.
    """
    caller = _caller(connection.headers)
    if route.admin:
        caller.need_admin()
    return caller


def path_of(connection: HTTPConnection) -> dict[str, str]:
    """The named parts of the path."""
    return {name: _plain(name, value) for name, value in connection.path_params.items()}


def query_of(route: Route, connection: HTTPConnection) -> Any:
    """What the query says, as the route has it.

    Raises:
        UsageError: it does not fit.
    """
    given: dict[str, str] = {}
    for name, value in connection.query_params.multi_items():
        if name in given:
            raise UsageError(f"'{name}' stands in the query twice: give it once")
        given[name] = _plain(name, value)
    if route.query is None:
        if given:
            raise UsageError(f"'{next(iter(given))}' is not taken in the query: this address takes nothing there")
        return None
    known = [field.alias or name for name, field in route.query.model_fields.items()]
    try:
        return route.query.model_validate(given)
    except ValidationError as error:
        raise UsageError(f"the query does not fit: {said_of(error, known)}") from None


def _caller(headers: Mapping[str, str]) -> Caller:
    user, role = headers.get("x-user-id"), headers.get("x-user-role")
    if user is not None and not re.fullmatch(openapi.USER, user):
        raise UsageError("x-user-id is no name: it takes 1 to 100 printable letters of ASCII")
    if role is not None and not re.fullmatch(openapi.ROLE, role):
        raise UsageError("x-user-role is no role: it takes 1 to 30 letters, digits, dashes and underscores")
    admin = role is None or role.lower() == "admin"
    if not admin and user is None:
        raise UsageError("x-user-role is not admin, so say who it is: x-user-id is missing")
    return Caller(user, admin)


def _plain(name: str, value: str) -> str:
    if "\0" in value or "\ud800" <= max(value, default="") <= "\udfff":
        raise UsageError(f"{name} is not text")
    return value
