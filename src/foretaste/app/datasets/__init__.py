"""Data to begin with: `ft.datasets`.

>>> import foretaste as ft
>>> events = ft.datasets.movielens_100k()
>>> events, truth = ft.datasets.synthetic(seed=7)
"""

from foretaste.app.datasets.movielens import movielens_100k
from foretaste.app.datasets.movielens_people import movielens_100k_people
from foretaste.app.datasets.online_retail import online_retail
from foretaste.app.datasets.synthetic import Synthetic, Truth, synthetic
from foretaste.app.datasets.synthetic_news import synthetic_news

__all__ = [
    "Synthetic",
    "Truth",
    "movielens_100k",
    "movielens_100k_people",
    "online_retail",
    "synthetic",
    "synthetic_news",
]
