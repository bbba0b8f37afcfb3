"""Adapters that stand on Redis or Valkey; need `pip install 'foretaste[redis]'`."""
