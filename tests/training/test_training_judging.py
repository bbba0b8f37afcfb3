"""Judging: what is learnt before, who is asked beside, by which groups items are counted."""

from dataclasses import replace

import numpy as np
import pytest

from foretaste.domain.errors import InvalidInputError
from foretaste.domain.item import Item
from foretaste.features.catalog_columns import CatalogColumns
from foretaste.models.transitions import TransitionsConfig
from foretaste.training.config import TrainConfig
from foretaste.training.judging import (
    MOST_GROUPS,
    OTHER,
    groups_of,
    judge_learnt,
    learn_before,
    liveness_of,
    peers_of,
    with_test,
)
from foretaste.training.prepare import prepare


class Lowest:
    """Likes low ordinals best (or high ones), whoever asks; writes down what it is told people had."""

    name = "lowest"

    def __init__(self, n_items, sign=-1.0):
        self.n_items, self.told, self.sign = n_items, [], sign

    def scores(self, had):
        self.told.append(had.tolist())
        return self.sign * np.arange(self.n_items, dtype=np.float64)


@pytest.fixture(scope="module")
def settings_of_judging():
    return TrainConfig(sources={"transitions": TransitionsConfig()}, tuned=60, judged=40)


@pytest.fixture(scope="module")
def learnt(timed_corpus, settings_of_judging):
    return learn_before(prepare(timed_corpus, settings_of_judging, 0))


def test_a_peer_ranks_what_the_person_has_not_had(learnt):
    peer = Lowest(learnt.prepared.corpus.n_items)
    judgement = judge_learnt(learnt, [peer])
    assert judgement.names[-1] == "lowest"
    for listed, had in zip(judgement.lists[-1].tolist(), peer.told, strict=True):
        assert not set(listed) & set(had)
        free = [item for item in range(peer.n_items) if item not in had]
        assert listed == free[:10]


def test_a_peer_lists_nothing_that_nobody_has_named_yet(timed_corpus, settings_of_judging):
    names = (*timed_corpus.item_names, "to-come")
    later = prepare(replace(timed_corpus, item_names=names), settings_of_judging, 0)
    judgement = judge_learnt(learn_before(later), [Lowest(len(names), sign=1.0)])
    assert judgement.lists[-1].max() < len(names) - 1


def test_a_peer_knows_the_live_history(learnt):
    peer = Lowest(learnt.prepared.corpus.n_items)
    judgement = judge_learnt(learnt, [peer])
    events = learnt.prepared.events
    for user, position, had in zip(judgement.user, judgement.position, peer.told, strict=True):
        before = events.item[:position][events.user[:position] == user]
        assert had == sorted(set(before.tolist()))


def test_peers_are_fitted_on_what_sources_are_fitted_on(timed_corpus, untimed_corpus, settings_of_judging):
    timed, untimed = (prepare(each, settings_of_judging, 0) for each in (timed_corpus, untimed_corpus))
    sizes = [len(peers_of(each, lambda window, _seed: range(len(window)))) for each in (timed, untimed)]
    assert sizes == [timed.tune, untimed.test]


def test_answers_of_a_live_log_change_and_a_hold_out_says_nothing_of_that(
    learnt, untimed_corpus, settings_of_judging
):
    assert liveness_of(learnt).changed > 0.5
    assert liveness_of(learn_before(prepare(untimed_corpus, settings_of_judging, 0))) is None


def test_a_given_test_part_comes_after_all_else(timed_corpus, settings_of_judging):
    cut = len(timed_corpus.events) * 9 // 10
    past = replace(timed_corpus, events=timed_corpus.events.take(0, cut))
    prepared = prepare(past, replace(settings_of_judging, test=0.0), 0)
    whole = with_test(prepared, timed_corpus, timed_corpus.events.take(cut, len(timed_corpus.events)))
    assert (prepared.test, whole.test, len(whole.events)) == (cut, cut, len(timed_corpus.events))
    assert (np.diff(whole.events.seq) == 1).all()
    assert whole.events.item[cut:].tolist() == timed_corpus.events.item[cut:].tolist()
    assert len(whole.weight) == len(whole.counts) == len(whole.consuming) == len(whole.events)


def test_small_groups_are_one():
    items = [
        Item(item_id=f"{kind}-{number}", categories=(f"kind {kind}",))
        for kind in range(MOST_GROUPS + 3)
        for number in range(kind + 1)
    ]
    groups = groups_of(CatalogColumns.of([*items, Item(item_id="plain")]), "category", len(items) + 2)
    assert len(groups.names) == MOST_GROUPS
    assert groups.names[0] == f"kind {MOST_GROUPS + 2}"
    assert groups.names[-1] == OTHER
    sizes = np.bincount(groups.code[groups.code >= 0])
    assert sizes[-1] == sum(kind + 1 for kind in range(4))
    assert groups.code[-2:].tolist() == [-1, -1]


def test_groups_are_attributes_too():
    items = [Item(item_id=name, attributes={"brand": name[0]}) for name in ("ax", "bx", "ay")]
    groups = groups_of(CatalogColumns.of([*items, Item(item_id="z")]), "brand", 4)
    assert (groups.names, groups.code.tolist()) == (("a", "b"), [0, 1, 0, -1])
    with pytest.raises(InvalidInputError, match=r"'maker'.*category, brand"):
        groups_of(CatalogColumns.of(items), "maker", 3)
