"""The service that the fleet's tests deploy: a small web server that counts what it does. Run as a program.

`webapp.py ADDRESS`, beside a file `behaviour` with its ratio of errors. It lets requests end when it is told to go.
"""

import random
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

EDGES = (0.01, 0.05, 0.1, 0.5)


class Counted:
    def __init__(self, error_ratio: float) -> None:
        self.error_ratio = error_ratio
        self.lock = threading.Lock()
        self.codes = {"200": 0, "500": 0}
        self.slower = [0] * (len(EDGES) + 1)
        self.seconds = 0.0

    def add(self, code: str, took_s: float) -> None:
        with self.lock:
            self.codes[code] += 1
            self.seconds += took_s
            for at, edge in enumerate((*EDGES, float("inf"))):
                self.slower[at] += took_s <= edge

    def page(self) -> str:
        with self.lock:
            lines = ["# TYPE http_requests_total counter"]
            lines += [f'http_requests_total{{code="{code}"}} {count}' for code, count in self.codes.items()]
            lines.append("# TYPE http_request_duration_seconds histogram")
            for edge, count in zip((*map(str, EDGES), "+Inf"), self.slower, strict=True):
                lines.append(f'http_request_duration_seconds_bucket{{le="{edge}"}} {count}')
            total = sum(self.codes.values())
            lines.append(f"http_request_duration_seconds_sum {self.seconds}")
            lines.append(f"http_request_duration_seconds_count {total}")
            return "\n".join(lines) + "\n"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counted: Counted

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._say(200, self.counted.page())
        elif self.path == "/healthz":
            self._say(200, "ok\n")
        else:
            began = time.monotonic()
            time.sleep(0.002)
            bad = random.random() < self.counted.error_ratio
            self._say(500 if bad else 200, "hello\n")
            self.counted.add("500" if bad else "200", time.monotonic() - began)

    def _say(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64


def main() -> None:
    host, _, port = sys.argv[1].rpartition(":")
    Handler.counted = Counted(float((Path(__file__).parent / "behaviour").read_text()))
    server = Server((host, int(port)), Handler)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)


if __name__ == "__main__":
    main()
