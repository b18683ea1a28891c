"""The log: verifying a million lines beside bare SHA-256 of the same bytes, one proof, and what a signature costs."""

import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from statistics import median
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import insert, select

from benchmarks.client import figure
from cuelight.contract.canonical import canonical_text
from cuelight.contract.log import Checkpoint
from cuelight.contract.merkle import Frontier, append, inclusion_proof, leaf_hash, root_of
from cuelight.exported import verify_file
from cuelight_server.audit import store as audit
from cuelight_server.audit.signing import Signer
from cuelight_server.audit.store import proofs
from cuelight_server.control.log_export import export, export_to
from cuelight_server.control.opening import create_desk, open_desk
from cuelight_server.control.verify import verify_desk
from cuelight_server.db.engine import Engine, Intent, reading, transaction
from cuelight_server.db.schema import audit_event, audit_head

LINES, AT_ONCE, PROOFS = 1_000_000, 20_000, 300
AT = "2026-01-05T09:00:00.000000Z"


def figures() -> Iterator[dict[str, Any]]:
    """Every figure of the log, of a million lines."""
    with tempfile.TemporaryDirectory() as folder:
        desk = create_desk(Path(folder) / "desk")
        limit = _bare(fill(desk.registry))
        yield figure("log.verify_1m_s", _verified(desk.registry), "s", limit)
        yield from _proved(desk.registry)
        yield from _whole(Path(folder) / "desk", limit)
        file = Path(folder) / "log.jsonl"
        started = time.perf_counter()
        export_to(file, export(desk))
        yield figure("log.export_1m_s", time.perf_counter() - started, "s", limit)
        desk.close()
        started = time.perf_counter()
        assert verify_file(file).findings == ()
        yield figure("log.verify_export_1m_s", time.perf_counter() - started, "s", limit)
    yield _signed()


def fill(registry: Engine) -> int:
    """Lines up to LINES, each a refusal of about 500 bytes, past the door; how many bytes the bodies have."""
    frontier, sizes, rows, heads = _start(registry), 0, list[Any](), list[Any]()
    for seq in range(frontier.size + 1, LINES + 1):
        facts = {"id": f"apr_{seq:026d}", "binding": f"sha256:{seq:064x}", "role": "workflow_owner", "note": "x" * 200}
        line = {"at": AT, "actor": "mei.tanaka", "verb": "refused", "subject": f"t{seq}"}
        body = canonical_text({"seq": seq, **line, "facts": facts})
        leaf = leaf_hash(body.encode())
        frontier = append(frontier, leaf)
        sizes += len(body.encode())
        text = '["' + '", "'.join(root.hex() for root in frontier.roots) + '"]'
        rows.append({"seq": seq, "body": body, "leaf": leaf.hex(), **line})
        heads.append({"size": seq, "root": root_of(frontier).hex(), "frontier": text})
        if len(rows) == AT_ONCE or seq == LINES:
            with transaction(registry, Intent.WRITE) as sql:
                sql.execute(insert(audit_event), rows)
                sql.execute(insert(audit_head), heads)
            rows, heads = [], []
    return sizes


def _start(registry: Engine) -> Frontier:
    with reading(registry) as sql:
        head = audit.head(sql)
    return Frontier(head.size, tuple(map(bytes.fromhex, head.frontier)))


def _verified(registry: Engine) -> float:
    started = time.perf_counter()
    with reading(registry) as sql:
        assert audit.examine(sql) == []
    return time.perf_counter() - started


def _whole(folder: Path, limit: float) -> Iterator[dict[str, Any]]:
    """All of `cuelight-server verify` in a process of its own; the peer of its memory is what opening the desk takes."""
    script = "import sys; from benchmarks.log import report; report(sys.argv[1], verify=sys.argv[2] == 'yes')"
    took, peak = (
        json.loads(subprocess.run([sys.executable, "-c", script, str(folder), asked], check=True, stdout=-1).stdout)
        for asked in ("yes", "no")
    )
    yield figure("log.verify_desk_1m_s", took["s"], "s", limit)
    yield figure("log.verify_desk_1m_mb", took["mb"], "MB", peak["mb"])


def report(folder: str, *, verify: bool) -> None:
    """Open a desk, verify it or not, and print how long that took and how much memory at its peak."""
    started, desk = time.perf_counter(), open_desk(Path(folder))
    assert not verify or verify_desk(desk).problems == ()
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"s": time.perf_counter() - started, "mb": most}))


def _bare(sizes: int) -> float:
    """The physical limit: hashing as many bytes in as many pieces, and one node of 65 bytes for each."""
    line, node = b"x" * (sizes // LINES), b"\x01" + b"n" * 64
    started = time.perf_counter()
    for _ in range(LINES):
        sha256(line).digest()
        sha256(node).digest()
    return time.perf_counter() - started


def _proved(registry: Engine) -> Iterator[dict[str, Any]]:
    """One proof, made from what is kept and checked; the peer makes it from all leaf hashes, in memory already."""
    dice, took, old = random.Random(6962), list[float](), list[float]()
    for _ in range(PROOFS):
        seq = dice.randint(1, LINES)
        started = time.perf_counter()
        with reading(registry) as sql:
            now, line = audit.checkpoint(sql), audit.line(sql, seq)
            assert line is not None
            proofs.inclusion(sql, seq, now.size, line.leaf, now.root)
        took.append(time.perf_counter() - started)
        started = time.perf_counter()
        with reading(registry) as sql:
            proofs.consistency(sql, seq, audit.root_at(sql, seq) or "", now.size, now.root)
        old.append(time.perf_counter() - started)
    with reading(registry) as sql:
        leaves = [bytes.fromhex(leaf) for leaf in sql.scalars(select(audit_event.c.leaf).order_by(audit_event.c.seq))]
    started = time.perf_counter()
    inclusion_proof(LINES // 3, leaves)
    whole = (time.perf_counter() - started) * 1e6
    yield figure("log.proof_us", median(took) * 1e6, "µs", whole)
    yield figure("log.consistency_us", median(old) * 1e6, "µs", whole)


def _signed() -> dict[str, Any]:
    """One signed checkpoint; the peer is the bare signature."""
    signer, bare = Signer("cuelight.desk/bench", b"b" * 32), Ed25519PrivateKey.from_private_bytes(b"b" * 32)
    text = str(signer.checkpoint(Checkpoint(1, "ab" * 32))).encode()
    took = [_timed(lambda size=size: signer.checkpoint(Checkpoint(size, "ab" * 32))) for size in range(PROOFS)]
    peer = [_timed(lambda: bare.sign(text)) for _ in range(PROOFS)]
    return figure("log.sign_us", median(took) * 1e6, "µs", median(peer) * 1e6)


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
