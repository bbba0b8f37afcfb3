"""Adapters that stand on Qdrant; need `pip install 'foretaste[qdrant]'`."""
