"""Regret sets the blend beside the source that turned out best."""

import numpy as np
import pytest

from foretaste.evaluation.judgement import Judgement
from foretaste.evaluation.regret import regret_of


def judgement_of(**places: list[int]) -> Judgement:
    """Return a judgement of named lists in which the truth stands at these places (-1: nowhere)."""
    n = len(next(iter(places.values())))
    hits = np.zeros((len(places), n, 10), np.bool_)
    for row, each in enumerate(places.values()):
        for question, place in enumerate(each):
            if place >= 0:
                hits[row, question, place] = True
    return Judgement(
        names=tuple(places),
        user=np.arange(n, dtype=np.int32) % 7,
        position=np.arange(n),
        lists=np.zeros((len(places), n, 10), np.int32),
        hits=hits,
        wanted=np.ones(n, np.int64),
        possible=n,
    )


def test_the_best_source_is_found_in_hindsight_and_the_blend_measured_against_it():
    judgement = judgement_of(
        blend=[0, 0, 1, -1], weak=[-1, -1, 1, -1], strong=[0, 1, -1, -1], random=[0, 0, 0, 0]
    )
    regret = regret_of(judgement, ["weak", "strong"], seed=0)
    assert regret.best == "strong"
    assert regret.ahead.value == pytest.approx(regret.blend_value / regret.best_value - 1.0)
    assert regret.ahead.value > 0.0
    assert "strong" in regret.words


def test_a_blend_that_is_its_best_source_has_none():
    regret = regret_of(judgement_of(blend=[0, 3, -1], one=[0, 3, -1]), ["one"], seed=0)
    assert (regret.ahead.low, regret.ahead.value, regret.ahead.high) == (0.0, 0.0, 0.0)


def test_a_worse_blend_has_a_whole_interval_below_zero():
    regret = regret_of(judgement_of(blend=[5] * 70, one=[0] * 70), ["one"], seed=0)
    assert regret.ahead.high < 0.0


def test_over_sources_that_foretold_nothing_it_says_so_in_words():
    words = regret_of(judgement_of(blend=[0] * 70, one=[-1] * 70), ["one"], seed=0).words
    assert words == "ahead of the best single source, one, which foretold nothing (1.0000 against 0.0000)"
    some = regret_of(judgement_of(blend=[0] * 7, one=[0] + [-1] * 6), ["one"], seed=0).words
    assert "infinite] ahead of the best single source" in some
    assert "inf%" not in some


def test_without_questions_or_sources_there_is_no_regret():
    assert regret_of(judgement_of(blend=[]), ["one"], seed=0) is None
    assert regret_of(judgement_of(blend=[0]), [], seed=0) is None
