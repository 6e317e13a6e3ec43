"""A server on the loopback that misbehaves as asked, and small archives for it."""

import io
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

JPEG = b"\xff\xd8\xff\xe0"


@dataclass
class Served:
    """What the server has and how it behaves; `asked` are the Range headers that came."""

    body: bytes
    url: str = ""
    etag: str | None = '"1"'
    ranges: bool = True
    kind: str = "application/zip"
    drops: list[int] = field(default_factory=list)
    """After how many bytes of its body each answer ends early; then none does."""
    status: list[int] = field(default_factory=list)
    """Codes of the first answers."""
    sized: bool = True
    asked: list[str | None] = field(default_factory=list)


@contextmanager
def server(served: Served) -> Iterator[Served]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted = self.headers.get("Range")
            served.asked.append(wanted)
            if served.status:
                self.send_error(served.status.pop(0))
                return
            match = re.fullmatch(r"bytes=(\d+)-", wanted or "")
            same = self.headers.get("If-Range") in (None, served.etag)
            start = int(match[1]) if match and served.ranges and same else 0
            if start and start >= len(served.body):
                self.send_error(416)
                return
            self.send_response(206 if start else 200)
            self.send_header("Content-Type", served.kind)
            if served.etag:
                self.send_header("ETag", served.etag)
            if served.sized:
                self.send_header("Content-Length", str(len(served.body) - start))
            if start:
                last = len(served.body) - 1
                self.send_header("Content-Range", f"bytes {start}-{last}/{len(served.body)}")
            self.end_headers()
            end = start + served.drops.pop(0) if served.drops else len(served.body)
            self.wfile.write(served.body[start:end])

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as opened:
        thread = threading.Thread(target=opened.serve_forever, args=(0.02,))
        thread.start()
        served.url = f"http://127.0.0.1:{opened.server_port}/photos.zip"
        try:
            yield served
        finally:
            opened.shutdown()
            thread.join()


def zipped(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tarred(files: Mapping[str, bytes], *others: tarfile.TarInfo, mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
        for other in others:
            archive.addfile(other)
    return buffer.getvalue()


def held(folder: Path) -> dict[str, bytes]:
    """Return all files below a folder by their relative names."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
