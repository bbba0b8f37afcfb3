"""What events said of their moments is learnt: device, place and the like change answers."""

import numpy as np
import pytest

import foretaste as ft
from foretaste.app.cli.train import report_text
from foretaste.app.learning import corpus_of, train_home
from foretaste.app.settings import Settings
from foretaste.app.wiring import open_home
from foretaste.domain.event import Event
from foretaste.models.context_popularity import ContextPopularityConfig
from foretaste.models.popularity import PopularityConfig
from foretaste.training.config import TrainConfig
from foretaste.training.judging import judge_learnt, learn_before
from foretaste.training.prepare import prepare
from foretaste.training.trade_off import trade_off

N_USERS, HALF = 400, 20
SETTINGS = Settings(sources=("popularity", "context"))


def shop(seed=0):
    """Return purchases, half of them on phones, where covers are taken; others take cables."""
    generator = np.random.default_rng(seed)
    events = []
    for user in range(N_USERS):
        device = ("mobile", "Desktop")[user % 2]
        kind = ("cover", "cable")[user % 2]
        events += [
            Event(
                event_id=f"{user}-{item}",
                user_id=f"u{user}",
                item_id=f"{kind}-{item}",
                type="purchase",
                timestamp=1_600_000_000_000_000 + (user * 6 + place) * 600_000_000,
                context={"device_type": device, "visit": f"{user}-{place}"},
            )
            for place, item in enumerate(generator.permutation(HALF)[:6].tolist())
        ]
    return events


@pytest.fixture(scope="module")
def rec(tmp_path_factory):
    """A shop trained beside its owner, as the command line does it."""
    directory = tmp_path_factory.mktemp("contexts") / "home"
    with open_home(directory, settings=SETTINGS, create=True) as home:
        home.log.submit(shop()).result()
    with ft.Recommender.open(directory, settings=SETTINGS) as opened:
        with open_home(directory, settings=SETTINGS, read_only=True, with_model=False) as reader:
            report = train_home(reader)
        words = "\n".join(str(part) for part in report_text(report).renderables)
        assert f"contexts: {report.contexts_dropped:,} values" in words
        opened.home.refresh()
        yield opened


def kinds(slate):
    return {item.item_id.partition("-")[0] for item in slate}


@pytest.mark.parametrize(("device", "kind"), [("mobile", "cover"), ("desktop", "cable")])
def test_a_stranger_gets_what_is_taken_on_such_a_device(rec, device, kind):
    assert kinds(rec.recommend(None, k=5, context={"device_type": device})) == {kind}


def test_what_the_question_says_goes_before_what_the_profile_says(rec):
    rec.add_users({"someone": {"device_type": "desktop"}})
    assert kinds(rec.recommend("someone", k=5)) == {"cable"}
    assert kinds(rec.recommend("someone", k=5, context={"device_type": "mobile"})) == {"cover"}


def test_contexts_reach_training_bounded_and_what_is_left_out_is_counted(rec):
    corpus = corpus_of(rec.home)
    assert corpus.contexts.of(0)[0] == "device_type=mobile"
    visits = {name for name in corpus.contexts.names if name.startswith("visit=")}
    assert len(visits) == 256
    assert corpus.contexts_dropped == len(corpus.events) - 256


def test_events_without_contexts_bring_none():
    plain = ft.datasets.synthetic(n_users=20, n_items=15, n_events=300, seed=1)
    with ft.Recommender.train(plain.events, settings=Settings(sources=("popularity",))) as without:
        corpus = corpus_of(without.home)
        assert corpus.contexts.names == ()
        assert len(corpus.contexts.code) == corpus.contexts_dropped == 0


def test_the_curve_of_variety_asks_the_same_questions_as_judging(rec):
    config = TrainConfig(
        sources={"popularity": PopularityConfig(), "context": ContextPopularityConfig()}, tuned=100, judged=60
    )
    learnt = learn_before(prepare(corpus_of(rec.home), config, 0))
    judged = judge_learnt(learnt).mean("blend", "ndcg")
    usual = [point.score.accuracy["ndcg"].value for point in trade_off(learnt) if point.usual]
    assert judged > 0.0
    assert usual == pytest.approx([judged] * len(usual))
