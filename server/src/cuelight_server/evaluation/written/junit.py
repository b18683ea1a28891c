"""A report as JUnit XML: one test case a case of the suite, for pipelines that show such files."""

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

Json = Mapping[str, Any]

_PASSED = ("passing", "fixed")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(report: Json) -> str:
    """Failures are cases that fail, errors those that nobody can judge, skipped those that are expected or unstable.

    The verdict is a test case of its own, so that a run whose cases all pass and whose gate does not is not green.
    """
    rows = list(report.get("case_table") or ())
    name = f"{report['prompt']}@{report['version']}"
    suite = ET.Element("testsuite", name=_clean(name), timestamp=str(report.get("at") or ""))
    for row in rows:
        _case(suite, name, row)
    _verdict(suite, name, report)
    for word, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(word, str(len(suite.findall(f"testcase/{tag}"))))
    suite.set("tests", str(len(rows) + 1))
    root = ET.Element("testsuites", {key: suite.get(key, "") for key in ("tests", "failures", "errors", "skipped")})
    root.append(suite)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(suite: ET.Element, name: str, row: Json) -> None:
    title = _clean(f"{row['id']} {row['title']}")
    one = ET.SubElement(suite, "testcase", classname=_clean(f"{name}.{row['category']}"), name=title)
    if row["state"] in _PASSED:
        return
    words = [
        f"{grader['name']} ({grader['severity']}): {grader.get('message', '')}" for grader in row.get("failed") or ()
    ]
    first = _clean(words[0]) if words else row["state"].replace("_", " ")
    if row["state"] == "expected_failure":
        ET.SubElement(one, "skipped", message=f"expected failure; {first}")
        return
    if row["state"] == "unstable":
        count = f"{row['sound_samples']} of {row['samples']} samples pass"
        ET.SubElement(one, "skipped", message=f"unstable, neither failed nor passed: {count}; {first}")
        return
    tag = "error" if row["state"] == "undecided" else "failure"
    ET.SubElement(one, tag, message=first, type=row["state"]).text = _clean("\n".join(words))


def _verdict(suite: ET.Element, name: str, report: Json) -> None:
    one = ET.SubElement(suite, "testcase", classname=_clean(name), name="the gate as a whole")
    verdict = report["verdict"]
    if verdict == "pass":
        return
    why = _clean("\n".join(report.get("why") or ()))
    tag = "failure" if verdict == "fail" else "error"
    ET.SubElement(one, tag, message=why.partition("\n")[0] or verdict, type=verdict).text = why


def _clean(text: str) -> str:
    """What XML 1.0 can hold; a character that it cannot is a question mark."""
    return _NOT_XML.sub("?", text)
