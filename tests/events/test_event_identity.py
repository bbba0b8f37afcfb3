"""Identity: what makes two events the same."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foretaste.domain.event import Event
from foretaste.events.identity import derived_event_id, event_key, minted_event_id

EVENT = Event(event_id="", user_id="u", item_id="i", type="click", timestamp=5, context={"a": "b", "c": "d"})


@pytest.mark.parametrize(
    "change",
    [
        {"user_id": "v"},
        {"item_id": "j"},
        {"type": "view"},
        {"timestamp": 6},
        {"value": 0.0},
        {"session_id": "s"},
        {"recommendation_id": "s"},
        {"context": {}},
        {"context": {"a": "b"}},
        {"user_id": "ui", "item_id": ""},
    ],
    ids=str,
)
def test_any_difference_in_content_is_another_event(change):
    assert derived_event_id(EVENT) != derived_event_id(msgspec.structs.replace(EVENT, **change))


def test_the_order_of_context_does_not_matter():
    turned = msgspec.structs.replace(EVENT, context={"c": "d", "a": "b"})
    assert derived_event_id(turned) == derived_event_id(EVENT)


def test_honest_repeats_of_an_import_stay_apart_and_importing_again_changes_nothing():
    ids = [derived_event_id(EVENT, occurrence) for occurrence in range(3)]
    assert len(set(ids)) == 3
    assert ids == [derived_event_id(EVENT, occurrence) for occurrence in range(3)]


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)


@given(st.lists(text, min_size=3, max_size=3), st.lists(text, min_size=3, max_size=3))
def test_where_one_field_ends_and_the_next_begins_is_part_of_the_content(one, other):
    def named(user_id, item_id, session_id):
        return msgspec.structs.replace(EVENT, user_id=user_id, item_id=item_id, session_id=session_id)

    same = derived_event_id(named(*one)) == derived_event_id(named(*other))
    assert same == (one == other)


def test_keys_are_stable_across_versions_and_machines():
    keys = [event_key(name) for name in ("", "a", "🦊")]
    assert keys == [-5426141060434712860, 3405396810240292928, 553450887952126601]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_key_fits_a_signed_64_bit_column(name):
    assert -(2**63) <= event_key(name) < 2**63


def test_minted_ids_do_not_repeat():
    assert len({minted_event_id() for _ in range(1000)}) == 1000
