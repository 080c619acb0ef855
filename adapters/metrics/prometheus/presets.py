"""What common libraries and proxies call a service's requests, errors and latency.

Each preset has "requests", "errors" and, where the exporter has a histogram in seconds, "latency"; programs also
have "cpu" and "memory". Host labels are the server's to set; `instance` is right unless a preset says otherwise.

Checked in the tests here against the real exporter: `haproxy` (HAProxy 2.6's own, scraped by a real Prometheus).
`prometheus` has the names that the tests' own pages have. The others are from the exporters' documentation and
from rules and dashboards in use, and were not run here.
"""

from collections.abc import Mapping
from types import MappingProxyType

from adapters.metrics.source import SignalKind, SignalSource, parse_selector


def _counter(name: str, selector: str) -> SignalSource:
    return SignalSource(name, SignalKind.COUNTER, *parse_selector(selector))


def _latency(family: str) -> SignalSource:
    return SignalSource("latency", SignalKind.HISTOGRAM, *parse_selector(family))


_PROCESS = (
    _counter("cpu", "process_cpu_seconds_total"),
    SignalSource("memory", SignalKind.GAUGE, "process_resident_memory_bytes"),
)


def _preset(*signals: SignalSource) -> Mapping[str, SignalSource]:
    return MappingProxyType({signal.name: signal for signal in signals})


PRESETS: Mapping[str, Mapping[str, SignalSource]] = MappingProxyType(
    {
        # Go's promhttp middleware and most hand-written ones: the status as a number.
        "prometheus": _preset(
            _counter("requests", "http_requests_total"),
            _counter("errors", 'http_requests_total{code=~"5.."}'),
            _latency("http_request_duration_seconds"),
            *_PROCESS,
        ),
        # prometheus-fastapi-instrumentator: statuses are grouped ("5xx") or not, by its settings.
        "fastapi": _preset(
            _counter("requests", "http_requests_total"),
            _counter("errors", 'http_requests_total{status=~"5.."}'),
            _latency("http_request_duration_highr_seconds"),
            *_PROCESS,
        ),
        # starlette_exporter with its default prefix.
        "starlette": _preset(
            _counter("requests", "starlette_requests_total"),
            _counter("errors", 'starlette_requests_total{status_code=~"5.."}'),
            _latency("starlette_request_duration_seconds"),
            *_PROCESS,
        ),
        # Spring Boot's Micrometer; the histogram only where percentiles-histogram is switched on.
        "micrometer": _preset(
            _counter("requests", "http_server_requests_seconds_count"),
            _counter("errors", 'http_server_requests_seconds_count{status=~"5.."}'),
            _latency("http_server_requests_seconds"),
            SignalSource("cpu", SignalKind.GAUGE, "process_cpu_usage"),
            SignalSource("memory", SignalKind.GAUGE, "jvm_memory_used_bytes"),
        ),
        # OpenTelemetry's stable HTTP conventions, as its Prometheus exporters spell them.
        "opentelemetry": _preset(
            _counter("requests", "http_server_request_duration_seconds_count"),
            _counter("errors", 'http_server_request_duration_seconds_count{http_response_status_code=~"5.."}'),
            _latency("http_server_request_duration_seconds"),
        ),
        # By proxy and server: a host is a server line, one backend at a time, and up when HAProxy says so.
        "haproxy": _preset(
            _counter("requests", "haproxy_server_http_responses_total"),
            _counter("errors", 'haproxy_server_http_responses_total{code="5xx"}'),
        ),
        # A sidecar beside each host. Its histograms are in milliseconds, so there is no latency here.
        "envoy": _preset(
            _counter("requests", "envoy_http_downstream_rq_xx"),
            _counter("errors", 'envoy_http_downstream_rq_xx{envoy_response_code_class="5"}'),
        ),
        # An Envoy before the hosts: with `envoy_cluster_name` as the host's label, a cluster a host.
        "envoy-cluster": _preset(
            _counter("requests", "envoy_cluster_upstream_rq_xx"),
            _counter("errors", 'envoy_cluster_upstream_rq_xx{envoy_response_code_class="5"}'),
        ),
        # nginx-module-vts: the row "*" is the sum of all names, and "total" that of all codes.
        "nginx-vts": _preset(
            _counter("requests", 'nginx_vts_server_requests_total{host="*",code=~"[1-5]xx"}'),
            _counter("errors", 'nginx_vts_server_requests_total{host="*",code="5xx"}'),
            _latency('nginx_vts_server_request_duration_seconds{host="*"}'),
        ),
    }
)
