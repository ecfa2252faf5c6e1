"""A collector of OpenTelemetry traces on this machine: it answers OTLP over HTTP, and keeps the spans."""

import gzip
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    name: str
    trace: str
    identifier: str
    parent: str
    process: int
    attributes: dict
    seconds: float


def _value(value):
    kind = value.WhichOneof("value")
    return (
        [_value(item) for item in value.array_value.values] if kind == "array_value" else getattr(value, kind)
    )


def _attributes(pairs):
    return {pair.key: _value(pair.value) for pair in pairs}


@contextmanager
def collector():
    """Yield the address to send spans to, and the list that they come to."""
    spans = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                process = _attributes(resource.resource.attributes)
                for scope in resource.scope_spans:
                    spans.extend(
                        Span(
                            span.name,
                            span.trace_id.hex(),
                            span.span_id.hex(),
                            span.parent_span_id.hex(),
                            process.get("process.pid", 0),
                            _attributes(span.attributes) | {"service": process["service.name"]},
                            (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
                        )
                        for span in scope.spans
                    )
            self.send_response(200)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", spans
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
