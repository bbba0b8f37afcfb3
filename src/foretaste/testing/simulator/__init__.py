"""Made-up traffic whose right answers are known.

`World` says what each person would take to at each moment, `deliveries` what they did. Both are pure
functions of a `Scenery`: the same one gives the same people, items and events, bit for bit.
"""
