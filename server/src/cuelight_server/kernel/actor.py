"""Who acts."""

from dataclasses import dataclass

from cuelight_server.kernel.terms import ActorKind, Environment


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, an app or the desk itself, as authentication found it.

    `environment` is set for an app key: it reaches that environment and nothing else.
    """

    id: str
    name: str
    kind: ActorKind
    admin: bool = False
    environment: Environment | None = None


SYSTEM = Actor("system", "the desk itself", ActorKind.SYSTEM)
