"""verbs.md, settings.md, errors.md and enforcement.md: the small tables of the house."""

import ast
import inspect
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace

from cuelight.cli import ending
from cuelight.contract.errors import KINDS
from cuelight_server.api.errors import STATUS
from cuelight_server.audit.duties import DUTIES
from cuelight_server.audit.permissions import may, who_may, words
from cuelight_server.audit.verbs import REFUSED, Verb
from cuelight_server.docs_reference.markdown import code, page, section, table
from cuelight_server.kernel.actor import SYSTEM, Actor
from cuelight_server.kernel.terms import ActorKind, Held, Member, Role
from cuelight_server.prompts.enforcement import ENFORCED_BY
from cuelight_server.settings import Settings

# What the client reads by itself: variable -> (default, meaning).
CLIENT_SETTINGS: Mapping[str, tuple[str, str]] = {
    "CUELIGHT_URL": ("http://127.0.0.1:7080", "the desk's address, for the client in an app and for the command line"),
    "CUELIGHT_KEY": ("", "the app's key; it opens one environment and nothing else"),
    "CUELIGHT_TOKEN": ("", "a person's token, for the command line; in a pipeline `cuelight ci login` gives one"),
    "CUELIGHT_ID_TOKEN": ("", "a pipeline's own token, for `cuelight ci login`; GitLab sets it by `id_tokens`"),
}
_ENDS = {
    ending.OK: "done, or the verdict is pass",
    ending.FAIL: "the verdict is fail",
    ending.INCONCLUSIVE: "the verdict is inconclusive",
    ending.UNEXPECTED: "something that should not happen",
    ending.INTERRUPTED: "stopped by Ctrl-C",
}


def verbs_page() -> str:
    """Everything that can be done, and by whom."""
    rows = [(code(verb.value), verb.rule.sentence, ", ".join(who_may(verb))) for verb in Verb]
    rights = [(code(verb.value), *(_may(verb, *who) for who in _COLUMNS.values())) for verb in Verb]
    duties = [
        (words(role).capitalize(), one.duty, ", ".join(code(verb.value) for verb in one.rights))
        for role, one in DUTIES.items()
    ]
    return page(
        "Verbs",
        "Everything that one can do with the desk. The verb stands in the audit log, and who is not listed may not do "
        "it. Roles count in the workflow that is touched, and only while a person holds them. `the desk itself` is also "
        "the shell on the machine that holds the data. An app's key fetches and reports, and changes nothing.",
        table(("verb", "what it does", "who may"), rows),
        f"An attempt that was denied or blocked leaves a line with the verb {code(REFUSED)}.",
        section(
            "Rights, role by role",
            "A service account and an agent are shown with every role: what is empty they never do, whatever they hold. "
            "A key with scopes only takes away. What people may not do twice (write and approve, approve in two roles) "
            "is not in this table: `cuelight access explain` says it for one person and one change.",
            table(("verb", *_COLUMNS), rights),
        ),
        section("What each owner answers for", table(("owner", "duty", "rights that go with it"), duties)),
    )


_ROLES = {
    Role.WORKFLOW_OWNER: "business",
    Role.DOMAIN_EXPERT: "expert",
    Role.ENGINEERING_OWNER: "engineering",
    Role.RISK_OWNER: "risk",
    Role.SUPPORT_OWNER: "support",
}
_PERSON = Actor("somebody", "Somebody", ActorKind.PERSON)
_EVERY = frozenset[Held]({*Role, *Member})
# Column -> who, and what they hold.
_COLUMNS: Mapping[str, tuple[Actor, frozenset[Held]]] = {
    **{name: (_PERSON, frozenset({role})) for role, name in _ROLES.items()},
    "member": (_PERSON, frozenset({Member.MEMBER})),
    "reader": (_PERSON, frozenset({Member.READER})),
    "administrator": (replace(_PERSON, admin=True), frozenset()),
    "service": (replace(_PERSON, kind=ActorKind.SERVICE), _EVERY),
    "agent": (replace(_PERSON, kind=ActorKind.AGENT), _EVERY),
    "app": (replace(_PERSON, kind=ActorKind.APP), frozenset()),
    "the desk": (SYSTEM, frozenset()),
}


def _may(verb: Verb, actor: Actor, held: frozenset[Held]) -> str:
    return "yes" if may(verb, actor, held).allowed else " "


def settings_page() -> str:
    """Every variable that is read from the environment."""
    server = [(code(name), code(default) if default else "none", words) for name, default, words in server_settings()]
    client = [
        (code(name), code(default) if default else "none", words) for name, (default, words) in CLIENT_SETTINGS.items()
    ]
    head = ("variable", "default", "meaning")
    return page(
        "Settings",
        "Settings are environment variables; an empty one counts as not set. An option on the command line wins. A key "
        "or token belongs into the environment, never into a file of a workflow.",
        section("The server", table(head, server)),
        section("The client and the command line", table(head, client)),
    )


def server_settings() -> Iterator[tuple[str, str, str]]:
    """(variable, default, meaning) of each field of Settings, from the words under the field."""
    told = _field_words()
    for one in fields(Settings):
        variable, _, words = told[one.name].partition(": ")
        yield variable, "" if one.default is None else str(one.default), words.rstrip(".")


def errors_page() -> str:
    """The six kinds and how they arrive."""
    kinds = [
        (code(kind), (inspect.getdoc(error) or "").split("\n")[0], str(STATUS[kind]), str(ending.CODES[kind]))
        for kind, error in KINDS.items()
    ]
    return page(
        "Errors",
        "Every error is one of six kinds, with a `message` (what happened), a `hint` (what to do next) and `details`.",
        table(("kind", "meaning", "HTTP status", "exit code"), kinds),
        'Over HTTP the body is `{"error": {"kind", "message", "hint", "details"}}`. `denied` is 401 where no '
        "token was sent or it opens nothing. A body that is too large is `invalid` with 413. 500 carries the kind "
        "`unexpected` and an id; what happened stands in the server's log under that id.",
        section("Exit codes", table(("exit code", "meaning"), [(str(one), words) for one, words in _exit_codes()])),
        "With `--json` an error is JSON on standard error.",
    )


def enforcement_page() -> str:
    """Which code holds which kind of rule."""
    rows = [
        (rule, "enforced" if by else "not yet enforced", code(by) if by else "") for rule, by in ENFORCED_BY.items()
    ]
    return page(
        "Which rule is enforced",
        "A file can state more rules than code enforces. `cuelight push --rules` and `cuelight lint --rules` say for "
        "each rule of a workflow which code holds it. **Enforced**: the code named here does. **Not yet enforced**: the "
        "rule is typed and kept, and nothing acts on it yet. **Declared only**: a rule in words (`declared_only`), kept "
        "for people; it is never enforced, and from tier elevated up such a rule on authority, the on-invalid path or a "
        "guardrail blocks release.",
        table(("kind of rule", "state", "by"), rows),
    )


def _exit_codes() -> Iterator[tuple[int, str]]:
    kinds = {number: f"an error of kind {code(kind)}" for kind, number in ending.CODES.items()}
    both = {**_ENDS, **kinds}
    yield from ((number, both[number]) for number in sorted(both))


def _field_words() -> dict[str, str]:
    """The string under each field of Settings, which only its source holds."""
    body = ast.parse(inspect.getsource(Settings)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101  it is the source of a class
    told = {}
    for here, after in zip(body.body, body.body[1:], strict=False):
        if isinstance(here, ast.AnnAssign) and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            told[ast.unparse(here.target)] = str(after.value.value)
    return told
