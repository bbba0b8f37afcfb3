"""The promises as code: contract suites for adapters, faults that prove the suites, a simulator.

Shipped, so that an adapter written elsewhere can be held to the same promises; nothing in Foretaste
itself imports it.
"""
