"""Adapters that stand on FAISS; need `pip install 'foretaste[faiss]'`."""
