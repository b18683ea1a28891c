"""Cuelight's client: production prompts that change only when an entitled person chose it.

    from cuelight import Client

    client = Client(app="crm")
    prompt = client.prompt("sales.lead_qualification", key=conversation_id)
    call = prompt.render(lead=lead)
    result = call.finish(my_model(call.messages, **call.settings))

Errors, each with `message`, `hint` and `details`:

CuelightError
├── NotFound      there is no such thing
├── Invalid       the input is not what it must be
├── Conflict      something else happened first
├── Denied        this person or key may not do that
├── Blocked       the process stands in the way: evidence, approval or a rule is missing
└── Unavailable   something that is needed cannot be reached now
"""

__version__ = "0.1.0"

from cuelight.call import Action, Call, Prompt, Result
from cuelight.client import Client
from cuelight.contract.errors import Blocked, Conflict, CuelightError, Denied, Invalid, NotFound, Unavailable

__all__ = [
    "Action",
    "Blocked",
    "Call",
    "Client",
    "Conflict",
    "CuelightError",
    "Denied",
    "Invalid",
    "NotFound",
    "Prompt",
    "Result",
    "Unavailable",
    "__version__",
]
