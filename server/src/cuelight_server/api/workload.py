"""The door for pipelines: a token of their own issuer in, a short key out."""

from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from cuelight_server.access.jose import MOST_BYTES
from cuelight_server.access.model import Came
from cuelight_server.api.auth import DeskDep, verb
from cuelight_server.audit.verbs import Verb
from cuelight_server.control.workload import exchange

EXCHANGE = (
    "/api/v1/token-exchange"  # the one address of the API that asks for no key: the token in its body is the proof
)
router = APIRouter()


class TokenAsked(BaseModel):
    """A pipeline's token; `service` says which account where it opens several."""

    model_config = ConfigDict(extra="forbid")

    token: str = Field(max_length=MOST_BYTES)
    service: str | None = Field(default=None, pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$")


@router.post(EXCHANGE, openapi_extra=verb(Verb.TOKEN_EXCHANGE))
def token_exchange(asked: TokenAsked, desk: DeskDep, request: Request) -> dict[str, Any]:
    """Exchange a pipeline's own token for a key of the service account that trusts it, once; the key is shown once.

    No key is asked for: the token is the proof.
    """
    came = Came(source=request.client.host if request.client else "unknown")
    given = exchange(desk, request.app.state.issuers, asked.token, came, asked.service)
    return {
        "key": given.key,
        "account": given.account,
        "scopes": list(given.scopes),
        "environment": given.environment,
        "expires_at": given.expires_at,
    }
