"""Evaluations and their results, open until finished and evidence from then on; and answers that were paid once."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text

from cuelight_server.db.schema.columns import TIME, registry, word

evaluation = Table(
    "evaluation",
    registry,
    Column("id", word(32), primary_key=True),
    Column("prompt", word(161), ForeignKey("prompt.name"), nullable=False),
    Column("label", word(40), nullable=False),  # v2, or a draft's label
    Column("content_digest", word(71), nullable=False),
    Column("baseline_label", word(40)),
    Column("baseline_digest", word(71)),
    Column("suite_digest", word(71), nullable=False),
    Column("provider", word(40), nullable=False),
    Column("state", word(10), nullable=False),  # queued, running, done, error
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("verdict", word(12)),
    Column("evidence_digest", word(71)),  # of the report without times and ids
    Column("report", Text),
    Column("actor", word(80), nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("finished_at", TIME),
    Column("attempts", Integer, nullable=False, server_default="0"),  # starts without an end
    Column("worker", word(32)),  # whose lease it is while it runs
    Column("heartbeat_at", TIME),  # when the lease was renewed
    Column("plan", Text),  # limits, repeats and cache as they were asked for; null = as always
    Column("spend", Text),  # what it has cost so far
    Column("cancelled_by", word(80)),
    Column("cancelled_at", TIME),
    Index("evaluation_prompt", "prompt", "created_at"),
)

evaluation_result = Table(
    "evaluation_result",
    registry,
    Column("evaluation", word(32), ForeignKey("evaluation.id"), primary_key=True),
    Column("arm", word(10), primary_key=True),  # candidate or baseline
    Column("case_id", word(80), primary_key=True),
    Column("sample", Integer, primary_key=True),
    Column("passed", Boolean, nullable=False),
    Column("document", Text, nullable=False),
)

answer_cache = Table(
    "answer_cache",
    registry,
    Column("key", word(71), primary_key=True),  # digest of what was asked, of whom, and for which sample
    Column("answer", Text, nullable=False),
    Column("size", Integer, nullable=False),  # characters of the answer
    Column("made_at", TIME, nullable=False),
    Index("answer_cache_made_at", "made_at"),
)
