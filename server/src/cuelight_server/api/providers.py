"""Model providers over HTTP: keys go in and never come out."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from cuelight_server.api.auth import Caller, DeskDep, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.providers import MOST_KEY, MOST_URL, remove_provider, sealing_or_refuse, set_provider
from cuelight_server.views import providers as view

router = APIRouter(prefix="/api/v1")
Name = Annotated[str, Path(max_length=40)]


class ProviderAsked(BaseModel):
    """Where a provider answers, and its key; without one it needs none. `options` are limits of its pace, and for `http` its shape."""

    model_config = ConfigDict(extra="forbid")

    base_url: str = Field(max_length=MOST_URL)
    key: SecretStr | None = Field(default=None, max_length=MOST_KEY)
    options: dict[str, Any] = Field(default_factory=dict)


@router.get("/providers", openapi_extra=verb(Verb.DESK_READ))
def listing(desk: DeskDep, _: Caller) -> dict[str, Any]:
    """The model providers that are set on the desk, without their keys."""
    return {"items": [asdict(one) for one in view.providers(desk)], "next": None}


@router.put("/providers/{name}", openapi_extra=verb(Verb.PROVIDER_SET))
def put(name: Name, asked: ProviderAsked, request: Request, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Set where a provider answers and its key, in the place of what was set."""
    keys = sealing_or_refuse(request.app.state.sealing)
    key = asked.key.get_secret_value() if asked.key else None
    return asdict(set_provider(desk, keys, actor, name, asked.base_url, key, asked.options))


@router.delete("/providers/{name}", openapi_extra=verb(Verb.PROVIDER_REMOVE))
def delete(name: Name, desk: DeskDep, actor: Caller) -> dict[str, Any]:
    """Remove a provider and its key; the server's own settings count again."""
    remove_provider(desk, actor, name)
    return {"provider": name}
