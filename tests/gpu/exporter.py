"""A process that serves what DCGM exporters of several kinds serve: `python -m tests.gpu.exporter PORT`.

The texts are those of `tests.gpu.expositions`: written from the public counter lists, not recorded from a GPU.
"""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.gpu.expositions import MIB, Card, exposition

NS = "spark-prod"


def cards(node: str) -> list[Card]:
    """Four cards: busy, idle, free, with an error."""
    return [
        Card(0, busy=0.97, engine=0.95, used=60 * 1024 * MIB, pod="etl-exec-1", namespace=NS, node=node),
        Card(1, busy=0.0, engine=0.01, used=2 * 1024 * MIB, pod="etl-exec-2", namespace=NS, node=node),
        Card(2, busy=0.0, node=node),
        Card(3, busy=0.0, xid=79, pod="etl-exec-3", namespace=NS, node=node, temperature=50),
    ]


def mig(node: str) -> list[Card]:
    """One card in three instances, which NVML gives no utilisation of."""
    parts = [("1", "3g.40gb", 0.99, "etl-exec-4"), ("2", "2g.20gb", 0.0, "etl-exec-5"), ("3", "1g.10gb", 0.0, "")]
    return [
        Card(0, busy=None, engine=engine, pod=pod, namespace=NS, mig=(id, profile), node=node)
        for id, profile, engine, pod in parts
    ]


PAGES = {
    "/legacy": exposition(cards("gpu-legacy")),
    "/renamed": exposition(cards("gpu-renamed"), renamed=True),
    "/honoured": exposition(cards("gpu-honoured")),
    "/mig": exposition(mig("gpu-mig")),
    "/silent": "",
}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path)
        body = (page or "").encode()
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Scrapes are not worth a line."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
