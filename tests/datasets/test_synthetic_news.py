"""The made-up news site churns as news does."""

import numpy as np
import pytest

import foretaste as ft
from foretaste.domain.errors import InvalidInputError

HOUR = 3_600_000_000
EVENTS = ft.datasets.synthetic_news(n_users=500, n_articles=400, n_sessions=2500, seed=2)


def test_the_same_arguments_give_the_same_events_and_another_seed_others():
    again = ft.datasets.synthetic_news(n_users=500, n_articles=400, n_sessions=2500, seed=2)
    other = ft.datasets.synthetic_news(n_users=500, n_articles=400, n_sessions=2500, seed=3)
    assert again.frame.equals(EVENTS.frame)
    assert not other.frame.equals(EVENTS.frame)


def test_nine_of_ten_later_clicks_are_on_articles_a_model_of_before_has_never_met():
    known = set(EVENTS.until(EVENTS.quantile(0.8)).frame["item_id"])
    later = EVENTS.after(EVENTS.quantile(0.9)).frame["item_id"].to_list()
    assert np.mean([item not in known for item in later]) > 0.9


def test_articles_live_for_hours_and_are_clicked_only_once_they_are_out():
    out = {item.item_id: item.available_from for item in EVENTS.items}
    ages = [time - out[item] for item, time in EVENTS.frame.select("item_id", "timestamp").iter_rows()]
    assert min(ages) >= 0
    assert np.median(ages) < 6 * HOUR
    assert max(ages) <= 14 * HOUR


def test_events_are_in_order_of_time_and_nobody_reads_an_article_twice_in_a_session():
    assert EVENTS.frame["timestamp"].is_sorted()
    near = EVENTS.frame.sort("user_id", "timestamp")
    again = (near["user_id"] == near["user_id"].shift(1)) & (near["item_id"] == near["item_id"].shift(1))
    assert again.sum() < 0.02 * len(EVENTS.frame)


def test_numbers_below_one_are_refused():
    with pytest.raises(InvalidInputError, match="at least 1"):
        ft.datasets.synthetic_news(n_sessions=0)
