"""Who acts."""

from dataclasses import dataclass, field

from cuelight_server.kernel.terms import ActorKind, Environment


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an app, a machine or the desk itself, as authentication found it.

    `environment` is set for an app key: it reaches that environment and nothing else. `scopes` is what a key narrows
    its holder to, None = nothing. `person` is the verified person behind the account, the account itself where nobody
    else is. `token` is the id of what opened the door, so that it can be looked at again when the change is applied.
    """

    id: str
    name: str
    kind: ActorKind
    admin: bool = False
    environment: Environment | None = None
    scopes: frozenset[str] | None = None
    person: str = ""
    token: str = field(default="", compare=False, repr=False)

    @property
    def who(self) -> str:
        """The person whose eyes these are: two accounts of one person are one pair."""
        return self.person or self.id


SYSTEM = Actor("system", "the desk itself", ActorKind.SYSTEM)
