"""Prometheus: telemetry through its client library, with the process's own measures."""
