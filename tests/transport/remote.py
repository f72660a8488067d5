"""A server to send to, that says what the test wants it to, and keeps what it got."""

import asyncio
import ssl
from dataclasses import dataclass, field

from appliance.transport.routes import Endpoint, NoSuchName


@dataclass
class Got:
    """A message that the server took."""

    mail: str
    rcpt: list[str] = field(default_factory=list)
    content: bytes = b""
    binary: bool = False


class Remote:
    """`answers` maps the beginning of a command line to the reply, or to None to hang up, or to "hang"."""

    def __init__(
        self, *extensions: str, tls: ssl.SSLContext | None = None, implicit: ssl.SSLContext | None = None
    ) -> None:
        self.extensions = extensions
        self.answers: dict[str, str | None] = {}
        self.got: list[Got] = []
        self.lines: list[str] = []
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.port = 0
        self._tls, self._implicit = tls, implicit
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> "Remote":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._implicit)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def close(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await self._session(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass
        finally:
            self.open -= 1
            self._tasks.discard(task)
            writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(text: str) -> None:
            writer.write(text.encode() + b"\r\n")

        greeting = self.answers.get("", "220 remote.test ESMTP")
        if greeting == "hang":
            await asyncio.Event().wait()
        if greeting is None:
            return
        say(greeting)
        got: Got | None = None
        while raw := await reader.readline():
            line = raw.decode().rstrip("\r\n")
            self.lines.append(line)
            verb = line.partition(" ")[0].upper()
            prepared = [key for key in self.answers if key and line.startswith(key)]
            if prepared and verb not in ("DATA", "."):
                answer = self.answers[max(prepared, key=len)]
                if answer is None:
                    return
                if answer == "hang":
                    await asyncio.Event().wait()
                say(answer)
                continue
            if verb == "EHLO":
                lines = ["remote.test", *self.extensions]
                say("\r\n".join(f"250{' ' if i == len(lines) - 1 else '-'}{x}" for i, x in enumerate(lines)))
            elif verb == "STARTTLS":
                say("220 go")
                assert self._tls is not None
                await writer.start_tls(self._tls)
            elif verb == "MAIL":
                got = Got(line)
                say("250 2.1.0 ok")
            elif verb == "RCPT" and got is not None:
                got.rcpt.append(line)
                say("250 2.1.5 ok")
            elif verb == "DATA" and got is not None:
                before = self.answers.get("DATA", "354 go")
                if before is None:
                    return
                say(before)
                if not before.startswith("354"):
                    continue
                got.content = await self._data(reader)
                after = self.answers.get(".", "250 2.0.0 taken")
                if after is None:
                    return
                if after.startswith("250"):
                    self.got.append(got)
                say(after)
            elif verb == "BDAT" and got is not None:
                words = line.split()
                got.content += await reader.readexactly(int(words[1]))
                got.binary = True
                if words[-1] == "LAST":
                    self.got.append(got)
                say("250 2.0.0 chunk")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 2.0.0 ok")

    @staticmethod
    async def _data(reader: asyncio.StreamReader) -> bytes:
        content = b""
        while (line := await reader.readline()) != b".\r\n":
            content += line[1:] if line.startswith(b".") else line
        return content


class FakeDns:
    """A resolver without a net: `records` of domains, `hosts` of names."""

    def __init__(self) -> None:
        self.records: dict[str, list[tuple[int, str]]] = {}
        self.hosts: dict[str, list[Endpoint]] = {}
        self.failing: dict[str, Exception] = {}

    def domain(self, name: str, *remotes: Remote) -> None:
        """A domain with one host for each server, in this order of preference."""
        self.records[name] = [(10 * i, f"mx{i}.{name}") for i in range(len(remotes))]
        for i, remote in enumerate(remotes):
            self.hosts[f"mx{i}.{name}"] = [Endpoint(f"mx{i}.{name}", "127.0.0.1", remote.port)]

    async def mx(self, domain: str) -> list[tuple[int, str]]:
        if domain in self.failing:
            raise self.failing[domain]
        if domain not in self.records and domain not in self.hosts:
            raise NoSuchName(domain)
        return self.records.get(domain, [])

    async def endpoints(self, host: str) -> list[Endpoint]:
        if host in self.failing:
            raise self.failing[host]
        if host not in self.hosts:
            raise NoSuchName(host)
        return self.hosts[host]
