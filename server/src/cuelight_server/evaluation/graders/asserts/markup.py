"""Assertions on markup: the output is HTML or XML, or holds some."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from xml.parsers import expat

from cuelight_server.evaluation.graders.asked import Asked, Assertion, said
from cuelight_server.evaluation.graders.outcome import Outcome
from cuelight_server.evaluation.graders.sample import Rule

_LONGEST = 2_000_000
_MOST_TAGS = 100_000
_ELEMENTS = frozenset({
    "a", "abbr", "address", "area", "article", "aside", "audio", "b", "base", "bdi", "bdo", "blockquote", "body",
    "br", "button", "canvas", "caption", "cite", "code", "col", "colgroup", "data", "datalist", "dd", "del",
    "details", "dfn", "dialog", "div", "dl", "dt", "em", "embed", "fieldset", "figcaption", "figure", "footer",
    "form", "h1", "h2", "h3", "h4", "h5", "h6", "head", "header", "hr", "html", "i", "iframe", "img", "input",
    "ins", "kbd", "label", "legend", "li", "link", "main", "map", "mark", "math", "menu", "meta", "meter", "nav",
    "noscript", "object", "ol", "optgroup", "option", "output", "p", "param", "picture", "pre", "progress", "q",
    "rp", "rt", "ruby", "s", "samp", "script", "section", "select", "slot", "small", "source", "span", "strong",
    "style", "sub", "summary", "sup", "svg", "table", "tbody", "td", "template", "textarea", "tfoot", "th",
    "thead", "time", "title", "tr", "track", "u", "ul", "var", "video", "wbr",
})  # fmt: skip
_VOID = frozenset({
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_COMMON = re.compile(
    r"<(?:html|head|body|div|span|p|a|img|h[1-6]|ul|ol|li|table|tr|td|th|form|input|button|script|style|link|meta|br|hr)\b",
    re.IGNORECASE,
)
_SIGNS = (  # (pattern, how much it counts): two make it HTML
    (_COMMON, 2),
    (re.compile(r"<!DOCTYPE\s+html", re.IGNORECASE), 2),
    (re.compile(r"<[a-zA-Z][a-zA-Z0-9-]*(?:\s[^<>]*)?>"), 1),
    (re.compile(r"</[a-zA-Z][a-zA-Z0-9-]*\s*>"), 1),
    (re.compile(r"<[a-zA-Z][a-zA-Z0-9-]*(?:\s[^<>]*)?/>"), 1),
    (re.compile(r"&(?:[a-zA-Z]+|#[0-9]+|#x[0-9a-fA-F]+);"), 1),
    (re.compile(r"<!--"), 1),
    (re.compile(r"""\s[a-zA-Z-]+=\s*["'][^"']*["']"""), 1),
)
_TAG = re.compile(r"<(?:(/)?([A-Za-z_:][\w:.-]*)[^<>]*?(/)?|[!?][^<>]*)>")


def _contains_html(asked: Asked) -> Outcome:
    text = asked.text[:_LONGEST]
    return said(asked, sum(worth for sign, worth in _SIGNS if sign.search(text)) >= 2, "contain HTML")


def _is_html(asked: Asked) -> Outcome:
    text = asked.text.strip()
    if not text or len(text) > _LONGEST or text[:5].lower() == "<?xml":
        return said(asked, held=False, wanted="be HTML")
    page = _Page()
    page.feed(text)
    page.close()
    return said(asked, page.known and not page.loose, "be HTML, with all its text inside of elements")


class _Page(HTMLParser):
    """Whether a text has a known element, and whether words stand outside of any."""

    def __init__(self) -> None:
        super().__init__()
        self.known = self.loose = False
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002  the parser's own signature
        """An element begins."""
        self.known = self.known or tag in _ELEMENTS or "-" in tag
        self._depth += tag not in _VOID

    def handle_startendtag(self, tag: str, attrs: Any) -> None:  # noqa: ARG002  the parser's own signature
        """An element that is closed at once."""
        self.known = self.known or tag in _ELEMENTS or "-" in tag

    def handle_endtag(self, tag: str) -> None:
        """An element ends."""
        self._depth = max(0, self._depth - (tag not in _VOID))

    def handle_data(self, data: str) -> None:
        """Words between tags."""
        self.loose = self.loose or (self._depth == 0 and bool(data.strip()))


def _is_xml(asked: Asked) -> Outcome:
    paths = _paths(asked.text)
    missing = sorted(asked.ready - paths) if paths is not None else []
    wanted = f"have the elements {', '.join(missing)}" if missing else "be well-formed XML without a DOCTYPE"
    return said(asked, paths is not None and not missing, wanted)


def _contains_xml(asked: Asked) -> Outcome:
    found = any(paths is not None and asked.ready <= paths for paths in map(_paths, _fragments(asked.text[:_LONGEST])))
    wanted = f"contain XML with {', '.join(sorted(asked.ready))}" if asked.ready else "contain XML"
    return said(asked, found, wanted)


def _fragments(text: str) -> Iterator[str]:
    """Every outermost element in a text, each from its opening to its closing tag."""
    open_: list[tuple[str, int]] = []
    closed: list[tuple[int, int]] = []
    for count, tag in enumerate(_TAG.finditer(text)):
        if count >= _MOST_TAGS:
            break
        closes, name, alone = tag.groups()
        if name is None:
            continue
        begin = tag.start()
        if closes:
            if not open_ or open_[-1][0] != name:
                open_.clear()
                continue
            begin = open_.pop()[1]
        elif not alone:
            open_.append((name, begin))
            continue
        while closed and closed[-1][0] >= begin:
            closed.pop()
        closed.append((begin, tag.end()))
    for begin, end in closed:
        yield text[begin:end]


def _paths(text: str) -> frozenset[str] | None:
    """`a`, `a.b`, ... of every element of a well-formed document; None where it is none, or declares a DOCTYPE."""
    if len(text) > _LONGEST:
        return None
    found, stack = set[str](), [""]

    def begin(name: str, _attributes: Any) -> None:
        stack.append(f"{stack[-1]}.{name}" if stack[-1] else name)
        found.add(stack[-1][:1_000])

    reader = expat.ParserCreate()
    reader.StartElementHandler, reader.EndElementHandler = begin, lambda _name: stack.pop()
    reader.StartDoctypeDeclHandler = _refuse
    try:
        reader.Parse(text.strip(), True)  # noqa: FBT003  its own signature
    except (expat.ExpatError, ValueError, UnicodeEncodeError):
        return None
    return frozenset(found)


def _refuse(*_: object) -> None:
    raise ValueError("a DOCTYPE")


def _required(_rule: Rule, value: Any) -> frozenset[str]:
    listed = value.get("requiredElements", ()) if isinstance(value, dict) else ()
    return frozenset([listed] if isinstance(listed, str) else listed or ())


TABLE = {
    "is-html": Assertion(check=_is_html),
    "contains-html": Assertion(check=_contains_html),
    "is-xml": Assertion(check=_is_xml, ready=_required),
    "contains-xml": Assertion(check=_contains_xml, ready=_required),
}
