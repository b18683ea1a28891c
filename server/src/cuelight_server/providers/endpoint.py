"""Any HTTP endpoint: a JSON document made from a template is posted, and the answer stands at a path."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cuelight_server.kernel.errors import Invalid, Unavailable
from cuelight_server.providers.openai import bearer
from cuelight_server.providers.port import Completion, CompletionRequest, Json
from cuelight_server.providers.remote import Family, count

MOST_TEMPLATE = 20_000
_PLACE = re.compile(r"\{\{\s*(prompt|messages|model|settings|tools)\s*\}\}")
_ANY_PLACE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What is posted and where the answer stands in what comes back. Paths are names and numbers with dots.

    In the template `{{prompt}}` is the last message's text, `{{messages}}`, `{{settings}}` and `{{tools}}` are JSON,
    `{{model}}` is the model's name. A string that is one place and nothing else becomes the value itself.
    """

    template: Any
    answer: str
    input_tokens: str = ""
    output_tokens: str = ""
    key_header: str = ""  # empty = Authorization: Bearer


def read_shape(options: Json) -> Shape:
    """The shape out of a provider's options. Invalid says what is wrong with it."""
    template, answer = options.get("template"), options.get("answer")
    if template is None or not isinstance(answer, str) or not answer:
        raise Invalid("an HTTP endpoint needs a template and the path of its answer", "give --template and --answer")
    text = json.dumps(template)
    if len(text) > MOST_TEMPLATE:
        raise Invalid("the template is too long", f"at most {MOST_TEMPLATE} characters")
    odd = [one for one in _ANY_PLACE.findall(text) if not _PLACE.fullmatch(one)]
    if odd:
        raise Invalid(f"the template has {odd[0]}", "there are {{prompt}}, {{messages}}, {{model}}, {{settings}}")
    header = str(options.get("key_header", ""))
    if header and not re.fullmatch(r"[A-Za-z0-9-]{1,60}", header):
        raise Invalid(f"{header[:60]!r} is no name of a header", "give one like X-Api-Key")
    return Shape(
        template=template,
        answer=answer,
        input_tokens=str(options.get("input_tokens", "")),
        output_tokens=str(options.get("output_tokens", "")),
        key_header=header,
    )


def family(shape: Shape) -> Family:
    """The family of one endpoint; the base URL is the whole address."""
    return Family(
        name="http",
        version=1,
        path="",
        headers=partial(_headers, shape),
        encode=partial(_encode, shape),
        decode=partial(_decode, shape),
    )


def _headers(shape: Shape, key: str | None) -> Mapping[str, str]:
    return {shape.key_header: key} if key and shape.key_header else bearer(key)


def _encode(shape: Shape, request: CompletionRequest, _base_url: str) -> Json:
    last = request.messages[-1]["content"] if request.messages else ""
    values = {
        "prompt": last if isinstance(last, str) else "".join(str(part.get("text", "")) for part in last),
        "messages": list(request.messages),
        "model": request.settings.get("model", ""),
        "settings": dict(request.settings),
        "tools": list(request.tools),
    }
    made = _filled(shape.template, values)
    return made if isinstance(made, dict) else {"input": made}


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    if isinstance(template, dict):
        return {name: _filled(one, values) for name, one in template.items()}
    if isinstance(template, list):
        return [_filled(one, values) for one in template]
    if not isinstance(template, str):
        return template
    whole = _PLACE.fullmatch(template)
    if whole:
        return values[whole[1]]
    return _PLACE.sub(lambda found: _text(values[found[1]]), template)


def _decode(shape: Shape, document: Json, request: CompletionRequest) -> Completion:
    found = _at(document, shape.answer)
    if found is None:
        raise Unavailable(f"the endpoint's answer has nothing at {shape.answer}", "look at the path of the answer")
    return Completion(
        text=_text(found),
        input_tokens=count(_at(document, shape.input_tokens)),
        output_tokens=count(_at(document, shape.output_tokens)),
        model=str(request.settings.get("model", "")),
        finish_reason="stop",
    )


def _at(document: Any, path: str) -> Any:
    if not path:
        return None
    for step in path.split("."):
        if isinstance(document, list) and step.isascii() and step.isdigit() and int(step) < len(document):
            document = document[int(step)]
        elif isinstance(document, dict) and step in document:
            document = document[step]
        else:
            return None
    return document


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
