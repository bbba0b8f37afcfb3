"""`train`, `evaluate`, `recommend`, `similar`, `batch`, `models` and `doctor` on one trained home."""

import json
import shutil
from functools import partial
from hashlib import sha256

import msgspec
import polars as pl
import pytest
from typer.testing import CliRunner

from foretaste.app.cli import app
from foretaste.app.wiring import home_registry
from foretaste.domain.artifact import ArtifactManifest, FileEntry, manifest_digest
from foretaste.serving.answerer import Answerer


@pytest.fixture(scope="session")
def trained(shop_files, tmp_path_factory):
    """A home with the shop's events and items, trained once; do not change it."""
    home = tmp_path_factory.mktemp("trained") / "home"
    for command in (
        ["ingest", "events", str(shop_files / "log.parquet")],
        ["ingest", "items", str(shop_files / "items.csv")],
        ["train"],
    ):
        result = CliRunner().invoke(app, [*command, "--home", str(home), "--json"], catch_exceptions=False)
        assert result.exit_code == 0, result.stderr
    return home


@pytest.fixture
def home(trained, tmp_path):
    """A copy of the trained home that a test may change."""
    return shutil.copytree(trained, tmp_path / "home")


def test_train_reports_scores_gate_and_version(foretaste, home):
    report = foretaste("train", "--home", home, "--seed", "7", "--json").json
    assert {"blend", "popularity", "random"} <= {score["name"] for score in report["scores"]}
    assert report["gate"]["passed"] is True
    assert report["version"] in (home / "models" / "aliases.json").read_text()


def test_training_again_on_the_same_log_gives_the_same_model(foretaste, home):
    before = json.loads((home / "models" / "aliases.json").read_text())
    again = foretaste("train", "--home", home, "--json").json
    assert before["champion"][-1] == again["version"]


def test_train_says_in_words_what_it_did(foretaste, home):
    outcome = foretaste("train", "--home", home)
    assert outcome.code == 0
    assert "gate passed" in outcome.out
    assert "NDCG@10" in outcome.out
    steps = [json.loads(line)["step"] for line in outcome.err.splitlines()]
    assert {"prepare", "fit", "evaluate", "publish"} <= set(steps)


def test_without_publishing_the_champion_stays(foretaste, home):
    champion = foretaste("models", "list", "--home", home, "--json").json["aliases"]["champion"]
    report = foretaste("train", "--home", home, "--seed", "9", "--no-publish", "--json").json
    aliases = foretaste("models", "list", "--home", home, "--json").json["aliases"]
    assert aliases["champion"] == champion
    assert aliases["challenger"] == report["version"] != champion


@pytest.mark.parametrize(
    ("protocol", "kind"), [("live", "time"), ("sequence", "sequence"), ("static", "hold-out")]
)
def test_evaluate_follows_the_protocol_and_stores_nothing(foretaste, trained, protocol, kind):
    before = sorted(trained.rglob("*"))
    report = foretaste("evaluate", "--home", trained, "--protocol", protocol, "--limit", "60", "--json").json
    assert (report["protocol"], report["kind"]) == (protocol, kind)
    assert 0 < report["questions"] <= 60
    blend = next(score for score in report["scores"] if score["name"] == "blend")
    assert blend["accuracy"]["ndcg"]["low"] <= blend["accuracy"]["ndcg"]["value"]
    assert sorted(path for path in trained.rglob("*") if ".db" not in path.name) == [
        path for path in before if ".db" not in path.name
    ]


def test_recommend_prints_a_table_with_reasons(foretaste, trained):
    outcome = foretaste("recommend", "u1", "--home", trained, "-k", "3", "--explain")
    assert outcome.code == 0
    assert "for user u1: personalized" in outcome.out
    assert "because of" in outcome.out


def test_recommend_for_scripts_is_the_slate(foretaste, trained):
    slate = foretaste("recommend", "u1", "--home", trained, "-k", "3", "--json").json
    assert [item["rank"] for item in slate["items"]] == [1, 2, 3]
    assert all(0 <= item["match"] <= 1 for item in slate["items"])


def test_an_unknown_user_gets_what_is_trending(foretaste, trained):
    slate = foretaste("recommend", "nobody", "--home", trained, "--json").json
    assert slate["source"] == "trending"
    assert len(slate["items"]) == 10


def test_filters_and_exclusions_hold(foretaste, trained):
    free = foretaste("recommend", "u1", "--home", trained, "--json").json
    category, first = free["items"][0]["categories"][0], free["items"][0]["item_id"]
    slate = foretaste(
        "recommend", "u1", "--home", trained, "--category", category, "--exclude", first, "--json"
    ).json
    assert slate["items"]
    assert {item["categories"][0] for item in slate["items"]} == {category}
    assert first not in [item["item_id"] for item in slate["items"]]


def test_filter_and_boost_are_expressions(foretaste, trained):
    asked = ("recommend", "u1", "--home", trained, "--json")
    first = foretaste(*asked).json["items"][0]
    kind = first["categories"][0]
    slate = foretaste(*asked, "--filter", f'not "{kind}" in category', "--boost", "0.5").json
    assert slate["items"]
    assert kind not in {name for item in slate["items"] for name in item["categories"]}
    assert all(item["boosts"] == [{"boost": "0.5", "added": 0.5}] for item in slate["items"])
    wrong = foretaste(*asked[:-1], "--filter", "categry in ('a')")
    assert wrong.code == 2
    assert "did you mean category" in wrong.err
    assert wrong.err.splitlines()[-1] == "  ^"


def test_similar_items_leave_out_the_item_itself(foretaste, trained):
    slate = foretaste("similar", "i1", "--home", trained, "-k", "4", "--json").json
    assert len(slate["items"]) == 4
    assert "i1" not in [item["item_id"] for item in slate["items"]]


def test_similar_to_an_unknown_item_is_not_found(foretaste, trained):
    outcome = foretaste("similar", "nothing", "--home", trained)
    assert outcome.code == 3
    assert "nothing" in outcome.err


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("all.parquet", pl.read_parquet),
        ("all.csv", pl.read_csv),
        ("all.tsv", partial(pl.read_csv, separator="\t")),
        ("all.jsonl", pl.read_ndjson),
    ],
)
def test_batch_writes_everyone(foretaste, trained, tmp_path, name, read):
    report = foretaste("batch", name, "--home", trained, "-k", "3", "--json").json
    frame = read(tmp_path / name)
    assert (report["users"], report["failed"]) == (40, 0)
    assert frame["user_id"].n_unique() == 40
    assert frame.height == 120


def test_one_users_failure_does_not_end_the_batch(foretaste, trained, tmp_path, monkeypatch):
    tried = Answerer.tried

    def fails_for_one(self, query, ready):
        if query.user_id == "u7":
            raise ZeroDivisionError("broken history")
        return tried(self, query, ready)

    monkeypatch.setattr(Answerer, "tried", fails_for_one)
    report = foretaste("batch", "all.csv", "--home", trained, "--json").json
    assert (report["users"], report["failed"]) == (39, 1)
    (line,) = (tmp_path / "all.csv.errors.jsonl").read_text().splitlines()
    assert json.loads(line)["reason"] == "ZeroDivisionError: broken history"
    assert json.loads(line)["row"] == "u7"


def test_promote_and_rollback_are_one_command_each(foretaste, home, monkeypatch):
    first = foretaste("models", "list", "--home", home, "--json").json["aliases"]["champion"]
    second = foretaste("train", "--home", home, "--seed", "5", "--no-publish", "--json").json["version"]
    assert foretaste("models", "promote", second, "--home", home, "--json").json == {"champion": second}
    assert foretaste("models", "rollback", "--home", home, "--json").json == {"champion": first}
    assert "champion" in foretaste("models", "list", "--home", home).out
    monkeypatch.setenv("COLUMNS", "80")
    listed = foretaste("models", "list", "--home", home).out
    assert first in listed, "a narrow terminal must not cut off what promote asks for"
    assert second in listed


def test_each_version_is_one_line_of_a_narrow_terminal(foretaste, home, monkeypatch):
    (model,) = foretaste("models", "list", "--home", home, "--json").json["models"]
    monkeypatch.setenv("COLUMNS", "80")
    listed = foretaste("models", "list", "--home", home).out
    (line,) = (line for line in listed.splitlines() if model["version"] in line)
    assert line.split()[-2:] == [str(len(model["models"])), "champion"]


def test_an_unknown_version_is_not_found_and_lists_those_there_are(foretaste, home):
    outcome = foretaste("models", "promote", "v0", "--home", home)
    assert outcome.code == 3
    assert foretaste("models", "list", "--home", home, "--json").json["aliases"]["champion"] in outcome.err


def test_a_damaged_model_is_exit_code_5_and_the_doctor_sees_it(foretaste, home):
    weights = max((home / "models").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    weights.write_bytes(weights.read_bytes()[:-1])
    outcome = foretaste("recommend", "u1", "--home", home)
    assert outcome.code == 5
    assert weights.name in outcome.err
    doctor = foretaste("doctor", "--home", home)
    assert doctor.code == 1
    assert "✗ model" in doctor.out


def test_a_model_of_a_release_with_another_blend_is_a_problem_to_the_doctor(foretaste, home):
    registry = home_registry(home)
    folder = registry.path(registry.aliases()["champion"])
    described = json.loads((folder / "blend.json").read_bytes())
    del described["sharpness"]
    written = json.dumps(described).encode()
    (folder / "blend.json").write_bytes(written)
    manifest = msgspec.json.decode((folder / "manifest.json").read_bytes(), type=ArtifactManifest)
    entry = FileEntry(path="blend.json", size=len(written), sha256=sha256(written).hexdigest())
    files = tuple(entry if each.path == entry.path else each for each in manifest.files)
    manifest = msgspec.structs.replace(manifest, files=files)
    manifest = msgspec.structs.replace(manifest, hash=manifest_digest(manifest))
    (folder / "manifest.json").write_bytes(msgspec.json.encode(manifest))
    assert "train again" in foretaste("recommend", "u1", "--home", home).err
    assert "train again" in foretaste("doctor", "--home", home).out


def test_a_version_whose_manifest_cannot_be_read_is_listed_as_damaged(foretaste, home):
    version = foretaste("models", "list", "--home", home, "--json").json["aliases"]["champion"]
    manifest = next((home / "models").rglob("manifest.json"))
    manifest.write_bytes(manifest.read_bytes()[:-1])
    assert f"{version} is damaged: {manifest}" in foretaste("models", "list", "--home", home).err
    listed = foretaste("models", "list", "--home", home, "--json").json
    assert (listed["models"], list(listed["damaged"])) == ([], [version])


def test_after_damage_one_can_train_again(foretaste, home):
    weights = max((home / "models").rglob("*.safetensors"), key=lambda path: path.stat().st_size)
    weights.write_bytes(b"")
    assert foretaste("train", "--home", home, "--seed", "6").code == 0
    assert foretaste("recommend", "u1", "--home", home).code == 0


def test_the_doctor_finds_a_healthy_home_good(foretaste, trained):
    outcome = foretaste("doctor", "--home", trained, "--json")
    assert outcome.code == 0
    levels = {finding["about"]: finding["level"] for finding in outcome.json["findings"]}
    assert levels["log"] == levels["catalog"] == levels["model"] == "good"


def test_the_doctor_names_misspelt_settings_and_remedies(foretaste, tmp_path, monkeypatch):
    monkeypatch.setenv("FORETASTE_PROT", "1")
    outcome = foretaste("doctor")
    assert outcome.code == 0
    assert "FORETASTE_PROT is set, but no setting is called so" in outcome.out
    assert "foretaste ingest events FILE" in outcome.out
    assert not (tmp_path / ".foretaste").exists()


def test_the_doctor_says_what_is_wrong_with_a_setting(foretaste, monkeypatch):
    monkeypatch.setenv("FORETASTE_HISTORY_LENGTH", "many")
    outcome = foretaste("doctor")
    assert outcome.code == 1
    assert "FORETASTE_HISTORY_LENGTH" in outcome.out


@pytest.mark.parametrize(
    "command",
    [["recommend", "u1"], ["similar", "i1"], ["train"], ["evaluate"], ["batch", "x.csv"], ["models", "list"]],
)
def test_without_a_home_every_command_says_how_to_begin(foretaste, command):
    outcome = foretaste(*command, "--home", "nowhere")
    assert outcome.code == 3
    assert "no home at nowhere" in outcome.err


def test_an_empty_log_cannot_be_learnt_from(foretaste, tmp_path):
    (tmp_path / "items.csv").write_text("item_id,title\na,A\n")
    foretaste("ingest", "items", "items.csv")
    outcome = foretaste("train")
    assert outcome.code == 2
    assert "foretaste ingest events" in outcome.err
    assert foretaste("evaluate").code == 2


def test_a_catalog_alone_is_answered_from(foretaste, tmp_path):
    (tmp_path / "items.csv").write_text("item_id,title\na,A\nb,B\n")
    foretaste("ingest", "items", "items.csv")
    slate = foretaste("recommend", "anyone", "--json").json
    assert {item["item_id"] for item in slate["items"]} == {"a", "b"}
    assert foretaste("batch", "all.csv", "--json").json["users"] == 0


def test_manifests_are_listed_whole_for_scripts(foretaste, trained):
    listed = foretaste("models", "list", "--home", trained, "--json").json
    assert listed["models"][0]["version"] == listed["aliases"]["champion"]
    assert msgspec.json.encode(listed)


def test_the_doctor_says_which_settings_have_no_effect_yet(foretaste, monkeypatch):
    monkeypatch.setenv("BANDIT_ALPHA", "1.0")
    assert "BANDIT_ALPHA is understood but has no effect yet" in foretaste("doctor").out
