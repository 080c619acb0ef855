"""Metrics pages of a few hosts, which a test writes and a real server scrapes."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Pages:
    """One server; a page at "/NAME" stands for the host NAME."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        pages = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                text = pages.texts.get(self.path[1:])
                body = (text or "").encode()
                self.send_response(200 if text is not None else 503)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                with suppress(ConnectionError):  # a server that is stopped in mid-scrape
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    def target(self, name: str, **labels: str) -> tuple[str, Mapping[str, str]]:
        """For the server's configuration: this page, with `instance` as its name."""
        return self.address, {"__metrics_path__": f"/{name}", "instance": name, **labels}


@contextmanager
def pages() -> Iterator[Pages]:
    here = Pages()
    thread = threading.Thread(target=here.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield here
    finally:
        here.server.shutdown()
        here.server.server_close()
        thread.join()


def page(requests: float, errors: float = 0.0, *, fast: float = 0.5, memory: float = 1e8) -> str:
    """A service's page; without errors it has no series of them, as real ones."""
    lines = [f'http_requests_total{{code="200",route="/a"}} {requests - errors:g}']
    lines += [f'http_requests_total{{code="503",route="/a"}} {errors:g}'] if errors else []
    for edge, part in (("0.1", fast), ("1", 0.9), ("+Inf", 1.0)):
        lines.append(f'http_request_duration_seconds_bucket{{route="/a",le="{edge}"}} {round(requests * part)}')
    lines += [f"process_resident_memory_bytes {memory:g}", ""]
    return "\n".join(lines)
