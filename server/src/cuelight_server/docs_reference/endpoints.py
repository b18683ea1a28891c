"""api.md: every address that answers, what it takes, what it gives and which verb stands behind it."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from cuelight_server.access.oidc import Provider
from cuelight_server.api.auth import VERB
from cuelight_server.api.limits import BUNDLE_PATHS, MB, MOST, MOST_BUNDLE
from cuelight_server.app import Front, build
from cuelight_server.audit.permissions import who_may
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.opening import create_desk
from cuelight_server.docs_reference.answers import GIVES, OTHERS, TAKES
from cuelight_server.docs_reference.markdown import code, codes, page, prose, section, table
from cuelight_server.docs_reference.types import type_of

_HEAD = ("takes", "type", "must be there", "where, and what counts when it is left out")


def api_page() -> str:
    """The page, from OpenAPI and from the routes that stand beside it."""
    document, others = described()
    schemas = document.get("components", {}).get("schemas", {})
    each = [
        _endpoint(f"{method.upper()} {path}", one, schemas)
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    ]
    return page(
        "The HTTP API",
        "JSON over HTTP. A person sends `Authorization: Bearer TOKEN`; on a demo desk `Cuelight-As: PERSON` will do. An "
        "app sends its key the same way and reaches `/runtime/v1` only. Lists give `items` and `next`; `next` goes into "
        "the parameter that says where to go on, and is null at the end. Errors are described in [Errors](errors.md), "
        "verbs in [Verbs](verbs.md).",
        f"A body may have {MOST // MB} MB, a bundle {MOST_BUNDLE // MB} MB ({codes(sorted(BUNDLE_PATHS))}).",
        section("For people", *each),
        section("For apps, and for everyone", *(_other(one) for one in others)),
    )


def described() -> tuple[dict[str, Any], list[str]]:
    """The OpenAPI document of a server, and `GET /healthz` for every other address that it answers."""
    with tempfile.TemporaryDirectory() as folder:
        desk = create_desk(Path(folder) / "desk", local=True)
        try:
            provider = Provider(issuer="https://login.example.org", client_id="cuelight")
            app = build(desk, worker=False, front=Front(public_url="https://desk.example.org", provider=provider))
            document = app.openapi()
            return document, sorted(_beside(app.routes, document["paths"]), key=lambda one: one.split(" ")[::-1])
        finally:
            desk.close()


def _beside(routes: Any, told: Mapping[str, Any]) -> Iterator[str]:
    for route in routes:
        path = getattr(route, "path", "")
        if path.startswith("/api/") or path in told or not path:
            continue
        methods = (getattr(route, "methods", None) or {"GET"}) - {"HEAD"}
        yield from (f"{method} {path}" for method in methods)


def _endpoint(name: str, one: Mapping[str, Any], schemas: Mapping[str, Any]) -> str:
    declared = Verb(one[VERB])
    rows = [*_parameters(one, schemas), *_body(one, schemas)]
    words = f"{one.get('description', '')} Verb {code(declared.value)}: {', '.join(who_may(declared))}."
    return section(code(name), prose(words), table(_HEAD, rows), f"Gives {GIVES[name]}.", level=3)


def _parameters(one: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for each in one.get("parameters", ()):
        kind = type_of(_open(each["schema"], schemas), code)
        yield code(each["name"]), kind, _must(required=each["required"]), each["in"] + _preset(each["schema"])


def _body(one: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    for content in one.get("requestBody", {}).get("content", {}).values():
        whole = _open(content["schema"], schemas)
        for key, value in whole["properties"].items():
            must = _must(required=key in whole.get("required", ()))
            yield code(key), type_of(_open(value, schemas), code), must, "body" + _preset(value)


def _open(one: Any, schemas: Mapping[str, Any]) -> Any:
    """The schema with references followed, as deep as types are told."""
    if "$ref" in one:
        return schemas[one["$ref"].rpartition("/")[2]]
    return {**one, "anyOf": [_open(each, schemas) for each in one["anyOf"]]} if "anyOf" in one else one


def _preset(schema: Mapping[str, Any]) -> str:
    return "" if schema.get("default") in (None, "") else f"; {code(json.dumps(schema['default']))}"


def _must(*, required: bool) -> str:
    return "yes" if required else "no"


def _other(name: str) -> str:
    """An address outside OpenAPI; one that nobody described fails here."""
    taken = msgspec.structs.fields(TAKES[name]) if name in TAKES else ()
    rows = [(code(one.encode_name), _must(required=one.required)) for one in taken]
    return section(code(name), prose(OTHERS[name]), table(("takes", "must be there"), rows), level=3)


def addresses() -> list[str]:
    """Every `METHOD /path`."""
    document, others = described()
    told = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    return [*told, *others]
