"""All tests of a config, wherever they stand: written in it, in files, in tables, in scenarios; each with its place."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cuelight.moving.cells import row_test
from cuelight.moving.code import is_code
from cuelight.moving.loose import read_csv, read_json, read_lines, read_yaml
from cuelight.moving.references import filled, is_file
from cuelight.moving.report import REFUSED, CannotCarry, Report
from cuelight.moving.sources import Sources

_FAR = ("http://", "https://", "huggingface://", "az://", "s3://")


@dataclass(frozen=True, slots=True, kw_only=True)
class Test:
    """One test as a config has it; `asserts` are (place, assertion). Defaults are not in it."""

    where: str
    vars: dict[str, Any] = field(default_factory=dict)
    asserts: tuple[tuple[str, Any], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Gathering:
    """Reads tests of one config; what cannot be read goes to the report."""

    sources: Sources
    report: Report

    def default(self, config: Mapping[str, Any]) -> Test:
        """The test that all others begin with."""
        said = config.get("defaultTest")
        if said is None:
            return Test(where="defaultTest")
        try:
            return self._test(filled(said, self.sources) if is_file(said) else said, "defaultTest")
        except CannotCarry as bad:
            self.report.add(REFUSED, "test", "defaultTest", "defaultTest", bad.why)
            return Test(where="defaultTest")

    def tests(self, config: Mapping[str, Any]) -> list[Test]:
        """Every test, then every scenario's; one empty test where a config has none, as there."""
        found = list(self._all(config.get("tests"), "tests"))
        scenarios = config.get("scenarios")
        if scenarios:
            found += self._scenarios(scenarios)
        elif not config.get("tests"):
            found.append(Test(where="the prompt itself"))
        return found

    def _all(self, said: Any, where: str) -> Iterator[Test]:
        if said is None:
            return
        if isinstance(said, str):
            yield from self._guarded(said, where)
        elif isinstance(said, dict):
            if isinstance(said.get("path"), str):
                yield from self._guarded(said["path"], where)
            else:
                yield from self._one(said, where)
        elif isinstance(said, list):
            for at, one in enumerate(said):
                if isinstance(one, str):
                    yield from self._guarded(one, f"{where}[{at}]")
                elif isinstance(one, dict) and isinstance(one.get("path"), str) and "vars" not in one:
                    yield from self._guarded(one["path"], f"{where}[{at}]")
                else:
                    yield from self._one(one, f"{where}[{at}]")
        else:
            self.report.add(REFUSED, "test", where, where, f"a {type(said).__name__}, expected a list of tests")

    def _guarded(self, path: str, where: str) -> Iterator[Test]:
        """The tests of a file or of all files that fit."""
        try:
            _refuse_far(path)
            for one in self.sources.matches(path.removeprefix("file://")):
                yield from self._file(one)
        except CannotCarry as bad:
            self.report.add(REFUSED, "test", where, path, bad.why)

    def _file(self, path: str) -> Iterator[Test]:
        if path.endswith((".xlsx", ".xls")) or ".xlsx#" in path:
            raise CannotCarry("a workbook is not read; save the sheet as CSV")
        text = self.sources.text(path)
        if path.endswith(".csv"):
            for number, row in enumerate(read_csv(text, path), 1):
                yield from self._row(row, f"{path} row {number}", number)
            return
        reader = read_json if path.endswith(".json") else read_lines if path.endswith(".jsonl") else read_yaml
        rows = reader(text, path)
        for at, row in enumerate(rows if isinstance(rows, list) else [rows]):
            if isinstance(row, dict) and any(str(key).startswith("__expected") for key in row):
                yield from self._row(row, f"{path}[{at}]", at + 1)
            elif isinstance(row, dict) and not (row.keys() & _KEYS):
                yield from self._one({"vars": row}, f"{path}[{at}]")
            else:
                yield from self._one(row, f"{path}[{at}]")

    def _row(self, row: Mapping[str, Any], where: str, number: int) -> Iterator[Test]:
        try:
            test = row_test(row)
        except CannotCarry as bad:
            self.report.add(REFUSED, "test", where, where, bad.why)
            return
        for column in test.pop("unknown_columns", []):
            words = "a column with two underscores that promptfoo does not know"
            self.report.add(REFUSED, "column", where.partition(" row")[0], column, words)
        test.setdefault("description", f"Row #{number}")
        yield from self._one(test, where)

    def _one(self, said: Any, where: str) -> Iterator[Test]:
        try:
            yield self._test(said, where)
        except CannotCarry as bad:
            self.report.add(REFUSED, "test", where, where, bad.why)

    def _test(self, said: Any, where: str) -> Test:
        if not isinstance(said, dict):
            raise CannotCarry(f"a {type(said).__name__}, expected a test with vars and assert")
        asserts = said.get("assert") or []
        asserts = filled(asserts, self.sources) if is_file(asserts) else asserts
        if isinstance(asserts, dict):
            asserts = [asserts]
        if not isinstance(asserts, list):
            raise CannotCarry("assert is no list")
        return Test(
            where=where,
            vars=self._vars(said.get("vars")),
            asserts=tuple(self._placed(asserts, where)),
            options=_object(said.get("options"), "options"),
            metadata=_object(said.get("metadata"), "metadata"),
            document={
                key: value for key, value in said.items() if key not in ("vars", "assert", "options", "metadata")
            },
        )

    def _placed(self, asserts: list[Any], where: str) -> Iterator[tuple[str, Any]]:
        for at, one in enumerate(asserts):
            column = one.pop("column", "") if isinstance(one, dict) else ""
            if is_file(one):
                inner = filled(one, self.sources)
                yield from self._placed(inner if isinstance(inner, list) else [inner], f"{where}.assert[{at}]")
            else:
                yield f"{where} {column}" if column else f"{where}.assert[{at}]", one

    def _vars(self, said: Any) -> dict[str, Any]:
        """Variables; a path, or a list of paths, of files that hold them."""
        if said is None:
            return {}
        if isinstance(said, dict):
            return dict(said)
        merged: dict[str, Any] = {}
        for path in said if isinstance(said, list) else [said]:
            if not isinstance(path, str):
                raise CannotCarry("vars is a list, expected names and values, or paths")
            for one in self.sources.matches(path.removeprefix("file://")):
                found = filled(f"file://{one}", self.sources)
                if not isinstance(found, dict):
                    raise CannotCarry(f"{one} holds no variables, expected names and values")
                merged.update(found)
        return merged

    def _scenarios(self, said: Any) -> list[Test]:
        found: list[Test] = []
        said = filled(said, self.sources) if is_file(said) else said
        for at, one in enumerate(said if isinstance(said, list) else [said]):
            where = f"scenarios[{at}]"
            try:
                scenario = filled(one, self.sources) if is_file(one) else one
                for inner, each in enumerate(scenario if isinstance(scenario, list) else [scenario]):
                    found += self._scenario(each, where if not isinstance(scenario, list) else f"{where}[{inner}]")
            except CannotCarry as bad:
                self.report.add(REFUSED, "test", where, where, bad.why)
        return found

    def _scenario(self, said: Any, where: str) -> list[Test]:
        if not isinstance(said, dict):
            raise CannotCarry(f"a {type(said).__name__}, expected config and tests")
        config = said.get("config") or [{}]
        config = filled(config, self.sources) if is_file(config) else config
        rows = list(self._all(config, f"{where}.config"))
        tests = list(self._all(said.get("tests"), f"{where}.tests")) or [Test(where=f"{where}.tests")]
        return [_joined(row, test) for row in rows for test in tests]


def _refuse_far(path: str) -> None:
    if path.startswith(_FAR):
        raise CannotCarry("it is far away, and nothing is fetched at import; save it as CSV beside the config")
    if is_code(path.removeprefix("file://")):
        raise CannotCarry("a generator is code, and nothing is run at import; write its tests to a JSONL file")


_KEYS = {"vars", "assert", "description", "options", "threshold", "metadata", "provider", "providerOutput"}


def _joined(row: Test, test: Test) -> Test:
    """A test of a scenario with one row of its config; the test counts more."""
    return Test(
        where=f"{test.where} with {row.where.rpartition('.')[2]}",
        vars={**row.vars, **test.vars},
        asserts=(*row.asserts, *test.asserts),
        options={**row.options, **test.options},
        metadata={**row.metadata, **test.metadata},
        document={**row.document, **test.document},
    )


def _object(said: Any, what: str) -> dict[str, Any]:
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise CannotCarry(f"{what} is no object")
    return said
