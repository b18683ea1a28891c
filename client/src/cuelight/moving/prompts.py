"""The prompts of a config, wherever they stand, each as messages whose texts are still in the other tool's template language."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight.moving.code import is_code
from cuelight.moving.loose import read_csv, read_json, read_yaml
from cuelight.moving.references import filled
from cuelight.moving.report import APPROXIMATED, CARRIED, REFUSED, CannotCarry, Report
from cuelight.moving.sources import Sources

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
_FILES = (".txt", ".md", ".json", ".jsonl", ".yaml", ".yml", ".csv", ".j2", ".prompt")
_FAR = ("langfuse://", "portkey://", "helicone://", "http://", "https://")
_DUMPED = re.compile(r"(?<![\"'\w])\{\{-?\s*([A-Za-z_]\w*)\s*\|\s*(?:dump|tojson)(?:\s*\|\s*safe)?\s*-?\}\}(?![\"'\w])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt: messages of {role, content} or {role, parts}. `raw` is its text; `json` says that it is a JSON chat as it stands."""

    where: str
    label: str
    names: tuple[str, ...] = ()
    messages: tuple[Mapping[str, Any], ...] = ()
    raw: str = ""
    json: bool = False
    todo: str = ""


@dataclass(frozen=True, slots=True)
class _Raw:
    where: str
    text: str
    label: str
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class Prompts:
    """Reads the prompts of one config."""

    sources: Sources
    report: Report
    _todo: list[Prompt] = field(default_factory=list)

    def all(self, config: Mapping[str, Any]) -> list[Prompt]:
        """Every prompt that can be had, in order; after them those that code makes, empty, for a person to write."""
        said = config.get("prompts")
        if said is None:
            words = "the config has none; the text of the variable `prompt` is sent, as promptfoo does"
            self.report.add(APPROXIMATED, "prompt", "prompts", "{{prompt}}", words)
            said = "{{prompt}}"
        found = []
        for raw in self._raws(said):
            try:
                found.append(_prompt(raw, self.report))
            except CannotCarry as bad:
                self._refuse(raw.where, raw.label, bad.why, raw.names)
        return [*found, *self._todo]

    def _refuse(self, where: str, label: str, why: str, names: tuple[str, ...] = ()) -> None:
        self.report.add(REFUSED, "prompt", where, label[:120], why)
        self._todo.append(Prompt(where=where, label=label, names=names, todo=why))

    def _raws(self, said: Any) -> Iterator[_Raw]:
        if isinstance(said, dict):
            said = [{"id": path, "label": label} for path, label in said.items()]
        for at, one in enumerate(said if isinstance(said, list) else [said]):
            where = f"prompts[{at}]" if isinstance(said, list) else "prompts"
            try:
                yield from self._entry(one, where)
            except CannotCarry as bad:
                self._refuse(where, _named(one), bad.why)

    def _entry(self, one: Any, where: str) -> Iterator[_Raw]:
        if isinstance(one, str):
            yield from self._text(one, "", where)
        elif isinstance(one, dict) and isinstance(one.get("raw", one.get("id")), str):
            label = str(one.get("label") or one.get("id") or "")
            for key in sorted(one.keys() - {"raw", "id", "label", "display"}):
                self.report.add(
                    REFUSED, "prompt", where, key, "settings of one prompt have no place beside its provider's"
                )
            names = tuple(str(one[key]) for key in ("id", "label") if one.get(key))
            for raw in self._text(str(one.get("raw") or one["id"]), label, where):
                yield _Raw(raw.where, raw.text, label or raw.label, (*names, *raw.names))
        else:
            raise CannotCarry("neither a text nor {raw, label}")

    def _text(self, text: str, label: str, where: str) -> Iterator[_Raw]:
        if text.startswith(_FAR):
            raise CannotCarry("it is kept far away, and nothing is fetched at import")
        bare = text.removeprefix("file://")
        if text.startswith(("exec:", "package:", "python:")) or (_one_line(bare) and is_code(bare)):
            raise CannotCarry("code makes it, and nothing is run at import")
        if not self._is_path(text):
            yield _Raw(where, text, label, (text,))
            return
        for path in self.sources.matches(bare):
            if is_code(path):
                self._refuse(where, path, "code makes it, and nothing is run at import")
            else:
                yield from self._file(path, where)

    def _is_path(self, text: str) -> bool:
        if text.startswith("file://"):
            return True
        if not _one_line(text) or "{{" in text:
            return False
        return (
            self.sources.has(text)
            or (text.endswith(_FILES) and " " not in text)
            or ("*" in text and "/" in text and " " not in text)
        )

    def _file(self, path: str, where: str) -> Iterator[_Raw]:
        text = self.sources.text(path)
        stem = path.rpartition("/")[2].partition(".")[0]
        if path.endswith((".json", ".yaml", ".yml")):
            yield _Raw(where, _inlined(text, path, self.sources), stem, (path,))
        elif path.endswith(".jsonl"):
            rows = [row for row in text.split("\n") if row.strip()]
            yield from (
                _Raw(where, row, f"{stem}-{at}" if len(rows) > 1 else stem, (path,)) for at, row in enumerate(rows, 1)
            )
        elif path.endswith(".csv"):
            yield from self._table(text, path, where)
        elif path.endswith((".md", ".j2")):
            yield _Raw(where, text, stem, (path,))
        else:
            parts = [one.strip() for one in re.split(r"^[ \t]*---[ \t]*$", text, flags=re.MULTILINE)]
            parts = [one for one in parts if one]
            if not parts:
                raise CannotCarry(f"{path} is empty")
            yield from (
                _Raw(where, one, f"{stem}-{at}" if len(parts) > 1 else stem, (path, stem))
                for at, one in enumerate(parts, 1)
            )

    def _table(self, text: str, path: str, where: str) -> Iterator[_Raw]:
        rows = read_csv(text, path)
        if "," not in text.partition("\n")[0] or "prompt" not in (rows[0] if rows else {}):
            lines = [line.strip() for line in text.split("\n") if line.strip()]
            lines = lines[1:] if lines and lines[0].lower() == "prompt" else lines
            yield from (_Raw(where, line.strip('"'), "", (path,)) for line in lines)
            return
        yield from (
            _Raw(where, row["prompt"], row.get("label", ""), (path, row.get("label", "")))
            for row in rows
            if row["prompt"]
        )


def _one_line(text: str) -> bool:
    return "\n" not in text and len(text) < 1000


def _inlined(text: str, path: str, sources: Sources) -> str:
    """A JSON or YAML file as JSON text; one with template code between its values stays as it is."""
    try:
        value = read_json(text, path) if path.endswith(".json") else read_yaml(text, path)
    except CannotCarry:
        return text
    return json.dumps(filled(value, sources), ensure_ascii=False)


def _prompt(raw: _Raw, report: Report) -> Prompt:
    chat = _chat(raw.text)
    if chat is None:
        if re.match(r"\s*[\[{]\s*[\"{].*\"role\"", raw.text, re.DOTALL):
            raise CannotCarry("its messages are built by template code, outside of their texts")
        messages: tuple[Mapping[str, Any], ...] = ({"role": "user", "content": raw.text},)
        report.add(CARRIED, "prompt", raw.where, raw.label or _short(raw.text))
        return Prompt(where=raw.where, label=raw.label, names=(raw.text, *raw.names), messages=messages, raw=raw.text)
    made, differs = [], []
    for one in chat:
        made.append(_message(one))
        if one.get("role") == "developer":
            differs.append("the role developer is sent as system")
        strange = sorted(one.keys() - {"role", "content"})
        if strange:
            differs.append(f"{strange[0]} of a message is left out")
    state = APPROXIMATED if differs else CARRIED
    report.add(state, "prompt", raw.where, raw.label or "chat", "; ".join(dict.fromkeys(differs)))
    whole = (raw.text, *raw.names), tuple(made), _is_json(raw.text)
    return Prompt(where=raw.where, label=raw.label, names=whole[0], messages=whole[1], raw=raw.text, json=whole[2])


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _chat(text: str) -> list[dict[str, Any]] | None:
    """The messages of a prompt that is written as JSON, or as YAML that begins with `- role:`; None for plain text."""
    bare = text.strip()
    try:
        if bare.startswith("- role:"):
            value = read_yaml(bare, "the prompt")
        elif bare.startswith(("[", "{")):
            value = read_json(_DUMPED.sub(r'"{{ \1 }}"', bare), "the prompt")
        else:
            return None
    except CannotCarry:
        return None
    value = value.get("messages") if isinstance(value, dict) else value
    if not isinstance(value, list) or not value:
        return None
    return value if all(isinstance(one, dict) and "role" in one and "content" in one for one in value) else None


def _message(one: Mapping[str, Any]) -> dict[str, Any]:
    role = _ROLES.get(str(one["role"]))
    if role is None:
        raise CannotCarry(
            f"a message of the role {one['role']}: only system, user and assistant are written in a prompt"
        )
    content = one["content"]
    if isinstance(content, str):
        return {"role": role, "content": content}
    if isinstance(content, list):
        return {"role": role, "parts": [_part(part) for part in content]}
    raise CannotCarry("a message whose content is neither text nor parts")


def _part(part: Any) -> dict[str, Any]:
    if isinstance(part, dict) and isinstance(part.get("text"), str):
        return {"text": part["text"]}
    found = part.get("image_url") if isinstance(part, dict) else None
    url = found.get("url") if isinstance(found, dict) else found
    if isinstance(url, str):
        return {"image": {"url": url}}
    raise CannotCarry("a part of a message that is neither text nor image_url")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _named(one: Any) -> str:
    return str(one.get("label") or one.get("id") or one) if isinstance(one, dict) else str(one)
