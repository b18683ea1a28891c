"""A real OpenID provider (Canaille) on a real socket, with people in it; its keys and claims can be changed."""

import os
import re
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import httpx2
from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import OKPKey, RSAKey
from werkzeug.serving import WSGIRequestHandler, make_server

CLIENT, SECRET = "cuelight-desk", "a-secret_of.the~desk-0123456789"
PASSWORD = "one two three four"


class Quiet(WSGIRequestHandler):
    """Says nothing."""

    def log(self, *_: Any, **__: Any) -> None:
        """Nothing."""


class OpenIdProvider:
    """Canaille with a client for the desk. `issuer` is its address."""

    def __init__(self, app: Any, port: int) -> None:
        self.app, self.models, self.backend = app, models, Backend.instance
        self.issuer = f"http://127.0.0.1:{port}"

    def add_person(self, id: str, name: str, email: str, *groups: str) -> None:
        """Somebody with a password, and in these groups."""
        given, _, family = name.rpartition(" ")
        with self.app.app_context():
            user = self.models.User(
                user_name=id,
                given_name=given or None,
                family_name=family,
                formatted_name=name,
                emails=[email],
                password=PASSWORD,
            )
            self.backend.save(user)
        for group in groups:
            self.join(id, group)

    def join(self, id: str, group: str) -> None:
        """They are in the group from now on."""
        with self.app.app_context():
            user = self.backend.get(self.models.User, user_name=id)
            found = self.backend.get(self.models.Group, display_name=group) or self.models.Group(display_name=group)
            found.members = [*(found.members or []), user]
            self.backend.save(found)

    def leave(self, id: str, group: str) -> None:
        """They are in the group no longer; a group that is empty is gone."""
        with self.app.app_context():
            found = self.backend.get(self.models.Group, display_name=group)
            left = [one for one in found.members if one.user_name != id]
            if left:
                found.members = left
                self.backend.save(found)
            else:
                self.backend.delete(found)

    def add_client(self, redirect: str, back: str) -> None:
        """The desk, as the provider knows it."""
        with self.app.app_context():
            known = self.backend.get(self.models.Client, client_id=CLIENT)
            if known is not None:
                self.backend.delete(known)
            client = self.models.Client(
                client_id=CLIENT,
                client_secret=SECRET,
                client_id_issued_at=datetime.now(UTC),
                client_name="The release desk",
                client_uri=redirect.rpartition("/signin")[0],
                redirect_uris=[redirect],
                post_logout_redirect_uris=[back],
                grant_types=["authorization_code"],
                response_types=["code"],
                scope=["openid", "profile", "email", "groups"],
                token_endpoint_auth_method="client_secret_basic",
            )
            self.backend.save(client)
            client.audience = [client]
            self.backend.save(client)

    def rotate(self, *, kind: str = "RSA") -> None:
        """A new key signs from now on; the one before is gone from the list."""
        key = RSAKey.generate_key(2048) if kind == "RSA" else OKPKey.generate_key("Ed25519")
        key.ensure_kid()
        self.app.config["CANAILLE_OIDC"]["ACTIVE_JWKS"] = [key.as_dict(private=True)]
        self.app.config["CANAILLE_OIDC"]["INACTIVE_JWKS"] = []


@contextmanager
def open_provider(email_verified: bool = True) -> Iterator[OpenIdProvider]:
    """A provider until the end of the block."""
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # on this machine it speaks plain http
    server = make_server("127.0.0.1", 0, _late, threaded=True, request_handler=Quiet)
    key = RSAKey.generate_key(2048)
    key.ensure_kid()
    quiet = {"version": 1, "disable_existing_loggers": False}
    config = {
        "TESTING": True,
        "ENV_FILE": None,
        "SECRET_KEY": str(uuid.uuid4()),
        "WTF_CSRF_ENABLED": False,
        "PREFERRED_URL_SCHEME": "http",
        "SERVER_NAME": f"127.0.0.1:{server.port}",
        "CANAILLE": {
            "DATABASE": "memory",
            "JAVASCRIPT": False,
            "ACL": {"DEFAULT": {"PERMISSIONS": ["use_oidc"]}},
            "LOGGING": quiet,
        },
        "CANAILLE_OIDC": {
            "ACTIVE_JWKS": [key.as_dict(private=True)],
            "TRUSTED_DOMAINS": [],
        },
    }
    app = create_app(config=config, env_file=None, env_prefix="NO_SUCH_PREFIX_")
    server.app = app
    if email_verified:
        app.config["CANAILLE_OIDC"]["USERINFO_MAPPING"]["EMAIL_VERIFIED"] = "true"
    running = threading.Thread(target=server.serve_forever, daemon=True)
    running.start()
    try:
        yield OpenIdProvider(app, server.port)
    finally:
        server.shutdown()
        running.join()
        server.server_close()


def _late(_environ: Any, _start: Any) -> Any:
    raise RuntimeError("not ready")


def sign_in_there(
    browser: httpx2.Client, answer: httpx2.Response, id: str, password: str = PASSWORD
) -> httpx2.Response:
    """Type name and password into the provider's pages and agree, as a person does; where the browser ends up."""
    there = answer.url.host
    for _ in range(8):
        page = answer.text
        if answer.url.host != there or answer.status_code >= 400:
            break
        if 'name="login"' in page:
            answer = browser.post(answer.url, data={"login": id})
        elif 'name="password"' in page:
            answer = browser.post(answer.url, data={"password": password})
        elif 'value="accept"' in page:
            found = re.search(r'<form[^>]*action="([^"]*oauth[^"]*)"', page)
            to = answer.url.join(found[1].replace("&amp;", "&")) if found else answer.url
            answer = browser.post(to, data={"answer": "accept"})
        else:
            break
    return answer
