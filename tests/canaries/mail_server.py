"""A mail server that keeps what it gets, and while it is in the mood refuses every password and quotes it."""

from __future__ import annotations

import base64
import email
import email.policy
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads, block_on_close = True, False  # who was refused leaves the line open

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)
        self.port = self.server_address[1]
        self.refuses = False
        self.refused = 0
        self.hung_up = threading.Event()
        self.mails: list[str] = []

    def link(self, word: str) -> str:
        """The path of the newest link with this word in it."""
        for text in reversed(self.mails):
            if found := re.search(rf"https?://[^/\s]+(/\S*{word}\S*)", text):
                return found[1]
        raise LookupError(word)


class _Talk(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line.split()[0].upper()
            if word == b"EHLO":
                self.wfile.write(b"250-here\r\n250 AUTH PLAIN\r\n")
            elif word == b"AUTH":
                self.wfile.write(self._judge(line.split()[-1]))
            elif word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                self._take()
            else:
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
        self.server.hung_up.set()

    def _judge(self, proof: bytes) -> bytes:
        if not self.server.refuses:
            return b"235 welcome\r\n"
        self.server.refused += 1
        return b"535 not with " + proof + b" " + base64.b64decode(proof).split(b"\0")[-1] + b"\r\n"

    def _take(self) -> None:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        raw = b"".join(lines)
        found = email.message_from_bytes(raw, policy=email.policy.default)
        parts = [part.get_content() for part in found.walk() if part.get_content_maintype() == "text"]
        self.server.mails.append("\n".join([raw.decode("utf-8", "replace"), *parts]))
        self.wfile.write(b"250 taken\r\n")


@contextmanager
def mail_server() -> Iterator[MailServer]:
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield server
        server.shutdown()
