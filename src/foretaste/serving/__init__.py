"""Serving: the request path and the event path, without a web framework."""
