"""Long lists in pages: every list has a limit and says where it goes on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from cuelight_server.kernel.errors import Invalid

T = TypeVar("T")
DEFAULT_SIZE, MAX_SIZE = 50, 200


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items in order; `next` is the cursor after the last of them, None at the end."""

    items: tuple[T, ...]
    next: str | None = None


def page_of(found: Sequence[T], size: int, cursor: Callable[[T], str]) -> Page[T]:
    """A page of `size` out of up to `size` + 1 items found: the one too many only tells that there are more."""
    items = tuple(found[:size])
    return Page(items, cursor(items[-1]) if len(found) > size and items else None)


def checked_size(size: int) -> int:
    """The asked page size, from 1 to MAX_SIZE; Invalid otherwise."""
    if not 1 <= size <= MAX_SIZE:
        raise Invalid(f"a page of {size} is not possible", f"ask for 1 to {MAX_SIZE} items")
    return size
