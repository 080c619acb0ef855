"""Metrics from a server that speaks Prometheus' HTTP API: Prometheus, VictoriaMetrics, Thanos, Mimir.

The library that asks is loaded with the first question, not with the package.
"""
