"""Requests whose head never ends: the server itself would keep all of it in memory, for anybody."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST = 512 * 1024  # bytes; what arrives in one piece may hold the end of a body before a head


class Bounded(HttpToolsProtocol):
    """Ends a connection on which more arrives than a request's head may be long, and no body has begun."""

    _waited = 0
    _is_in_body = False

    def data_received(self, data: bytes) -> None:
        """Take in what arrived."""
        super().data_received(data)
        if not self._is_in_body:
            self._waited += len(data)
        if self._waited > LONGEST and not self.transport.is_closing():
            self.send_400_response("the head of the request is too long")

    def on_headers_complete(self) -> None:
        """The head is over."""
        self._is_in_body, self._waited = True, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The next head may begin."""
        self._is_in_body, self._waited = False, 0
        super().on_message_complete()
