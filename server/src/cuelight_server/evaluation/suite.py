"""Reading a suite's document: every case complete with the suite's defaults and derived variables."""

from cuelight_server.evaluation.model import Case, Category, Json, Suite
from cuelight_server.kernel.cases import whole_input
from cuelight_server.kernel.errors import Invalid


def read_suite(name: str, digest: str, document: Json) -> Suite:
    """A suite out of the document of `suites/<name>.yaml`, its schemas inlined. Invalid where an id stands twice."""
    ids = [one["id"] for one in document["cases"]]
    twice = next((one for one in ids if ids.count(one) > 1), None) if len(set(ids)) < len(ids) else None
    if twice is not None:
        raise Invalid(f"the case {twice} stands twice in the suite {name}", "give every case an id of its own")
    schema = document.get("schema")
    return Suite(
        name=name,
        digest=digest,
        cases=tuple(_case(one, document) for one in document["cases"]),
        graders=tuple(document.get("graders", [])),
        schema=schema if isinstance(schema, dict) else None,
        expected_failures=_expected(document.get("expected_failures", [])),
    )


def _case(one: Json, document: Json) -> Case:
    return Case(
        id=one["id"],
        category=Category(one["category"]),
        title=one["title"],
        input=whole_input(one, document),
        tags=tuple(one.get("tags", [])),
        label=one.get("label"),
        graders=tuple(one.get("graders", [])),
        threshold=one.get("threshold"),
        cluster=one.get("cluster", ""),
    )


def _expected(rows: list[Json]) -> dict[str, dict[str, str]]:
    made: dict[str, dict[str, str]] = {}
    for row in rows:
        for version in row["versions"]:
            made.setdefault(version, {})[row["case"]] = row["reason"]
    return made
