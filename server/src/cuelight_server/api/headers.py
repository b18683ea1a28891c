"""Headers have an end: a client that sends more than MOST of them is cut off before they fill the memory."""

from collections.abc import Iterable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

KB = 1024
MOST = 32 * KB
_REFUSAL = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


class BoundedHeaders(HttpToolsProtocol):
    """uvicorn's protocol, which by itself reads headers without an end."""

    _unfinished = 0  # bytes of a head that is not complete yet
    _in_head = True

    def data_received(self, data: bytes) -> None:
        """Feed the parser; close where the head of a request is over the limit and still goes on."""
        if self.transport.is_closing():
            return
        self._unfinished += len(data)
        super().data_received(data)
        if not self._in_head:
            self._unfinished = 0  # a body has limits of its own
        elif self._unfinished > MOST and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """A head is complete."""
        super().on_headers_complete()
        self._in_head, self._unfinished = False, 0

    def on_message_complete(self) -> None:
        """A request is complete: the next head may begin."""
        super().on_message_complete()
        self._in_head, self._unfinished = True, 0


def head_size(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """How many bytes the names and values of a complete head have."""
    return sum(len(name) + len(value) for name, value in headers)
