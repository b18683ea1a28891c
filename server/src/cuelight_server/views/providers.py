"""The model providers that are set on the desk; a key that went in does not come out."""

from cuelight_server.db.desk import Desk
from cuelight_server.db.engine import reading
from cuelight_server.vault import store
from cuelight_server.vault.model import SetProvider, seen


def providers(desk: Desk) -> list[SetProvider]:
    """Every provider that is set, by name."""
    with reading(desk.registry) as sql:
        return [seen(one) for one in store.connections(sql)]
