"""Where deployments and snapshots are kept."""

import json
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from cuelight_server.db import schema
from cuelight_server.db.upserting import upsert
from cuelight_server.kernel.errors import Conflict
from cuelight_server.routing.model import EVERYONE, Deployment, Kill, Published, Seen

_MOST = 10_000  # deployments of one environment


def deployment(sql: Connection, prompt: str, environment: str, tenant: str = EVERYONE) -> Deployment | None:
    """What one prompt serves in one environment, or None where it was never deployed."""
    table = schema.deployment
    found = select(table).where(table.c.prompt == prompt, table.c.environment == environment, table.c.tenant == tenant)
    row = sql.execute(found).one_or_none()
    return None if row is None else _deployment(row)


def deployments(sql: Connection, environment: str) -> list[Deployment]:
    """Every deployment of one environment, by prompt and tenant."""
    table = schema.deployment
    found = select(table).where(table.c.environment == environment).order_by(table.c.prompt, table.c.tenant)
    return [_deployment(row) for row in sql.execute(found.limit(_MOST))]


def readable(sql: Connection, environment: str) -> tuple[list[Deployment], list[str]]:
    """(the deployments of one environment by prompt and tenant, the prompts with a row that cannot be read)."""
    table = schema.deployment
    rows = select(table).where(table.c.environment == environment).order_by(table.c.prompt, table.c.tenant)
    found, broken = list[Deployment](), dict[str, None]()
    for row in sql.execute(rows.limit(_MOST)):
        try:
            found.append(_deployment(row))
        except (TypeError, ValueError):
            broken[row.prompt] = None
    return found, list(broken)


def ever_served(sql: Connection, environment: str) -> frozenset[str]:
    """The prompts that one environment serves or served: a deployment stays when it is switched off."""
    found = select(schema.deployment.c.prompt).where(schema.deployment.c.environment == environment).distinct()
    return frozenset(sql.scalars(found.limit(_MOST)))


def served(sql: Connection, prompt: str, environment: str) -> int | None:
    """The number of the version that is live for everyone; None while nothing is."""
    found = deployment(sql, prompt, environment)
    return found.live if found else None


def save(sql: Connection, changed: Deployment) -> None:
    """Store a deployment whose revision is one above the stored one; Conflict when it is not."""
    values = {
        "weights": json.dumps(changed.weights),
        "rollback_target": changed.rollback_target,
        "kill": json.dumps(asdict(changed.kill)) if changed.kill else None,
        "release": changed.release,
        "revision": changed.revision,
        "since": changed.since,
    }
    key = {"prompt": changed.prompt, "environment": changed.environment, "tenant": changed.tenant}
    if changed.revision == 1:
        sql.execute(insert(schema.deployment).values(**key, **values))
        return
    table = schema.deployment
    same = [table.c[name] == value for name, value in key.items()]
    moved = sql.execute(update(table).where(*same, table.c.revision == changed.revision - 1).values(**values))
    if moved.rowcount != 1:
        raise Conflict(f"{changed.prompt} moved in the meantime", "look at it again, then decide")


def raise_version(sql: Connection, environment: str) -> int:
    """Take the environment's row lock and its next snapshot version, in the transaction of what is published."""
    table = schema.environment
    raised = update(table).where(table.c.name == environment).values(snapshot_version=table.c.snapshot_version + 1)
    return int(sql.execute(raised.returning(table.c.snapshot_version)).scalar_one())


def save_snapshot(sql: Connection, environment: str, published: Published, at: str) -> None:
    """Store a snapshot for good."""
    sql.execute(
        insert(schema.snapshot).values(
            environment=environment,
            version=published.version,
            digest=published.digest,
            body=published.body,
            created_at=at,
        )
    )


def version(sql: Connection, environment: str) -> int:
    """The newest snapshot's version; 0 before the first."""
    found = select(schema.environment.c.snapshot_version).where(schema.environment.c.name == environment)
    return int(sql.execute(found).scalar_one())


def snapshot(sql: Connection, environment: str, version: int) -> Published | None:
    """One stored snapshot, or None."""
    table = schema.snapshot
    row = sql.execute(select(table).where(table.c.environment == environment, table.c.version == version)).one_or_none()
    return None if row is None else Published(version=row.version, digest=row.digest, body=_bytes(row.body))


def see(sql: Connection, seen: Seen) -> None:
    """Renew the lease of one client: an operational write."""
    values = {"snapshot_version": seen.version, "epoch": seen.epoch, "seen_at": seen.at}
    key = {"app": seen.app, "client": seen.client, "environment": seen.environment}
    new = upsert(sql, schema.client_seen).values(**key, **values)
    sql.execute(new.on_conflict_do_update(index_elements=list(key), set_=values))


def forget(sql: Connection, app: str, client: str, environment: str) -> None:
    """A client said goodbye: an operational write."""
    table = schema.client_seen
    this = (table.c.app == app, table.c.client == client, table.c.environment == environment)
    sql.execute(delete(table).where(*this))


def seen_since(sql: Connection, environment: str, at: str) -> list[Seen]:
    """The clients of one environment that were heard of at or after `at`, by name and app."""
    table = schema.client_seen
    found = select(table).where(table.c.environment == environment, table.c.seen_at >= at)
    found = found.order_by(table.c.client, table.c.app)
    return [
        Seen(
            client=row.client,
            app=row.app,
            environment=row.environment,
            epoch=row.epoch,
            version=row.snapshot_version,
            at=row.seen_at,
        )
        for row in sql.execute(found.limit(_MOST))
    ]


def _bytes(body: bytes | str) -> bytes:
    """A database tool that changed a body may have left text there: `verify` has to be able to say so."""
    return body.encode() if isinstance(body, str) else body


def _deployment(row: Row[Any]) -> Deployment:
    return Deployment(
        prompt=row.prompt,
        environment=row.environment,
        tenant=row.tenant,
        weights=tuple((number, weight) for number, weight in json.loads(row.weights)),
        rollback_target=row.rollback_target,
        kill=Kill(**json.loads(row.kill)) if row.kill else None,
        release=row.release,
        revision=row.revision,
        since=row.since,
    )
