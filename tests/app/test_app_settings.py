"""Settings: where they come from, and what a wrong one says."""

import pytest

from foretaste.app.settings import Settings
from foretaste.app.settings_loading import (
    load_settings,
    misplaced_variables,
    unbuilt_variables,
    unknown_variables,
)
from foretaste.domain.errors import InvalidInputError


def load(home=None, dotenv=None, **environment):
    return load_settings(home, environment=environment, dotenv=dotenv)


def test_without_anything_there_are_defaults():
    assert load() == Settings()


def test_later_sources_win(tmp_path):
    (tmp_path / "foretaste.toml").write_text('host = "toml"\nport = 1\nhistory_length = 7\n')
    dotenv = tmp_path / ".env"
    dotenv.write_text("# ours\nexport FORETASTE_PORT=2\nFORETASTE_HOST='dotenv'\nOTHER=1\n")
    settings = load(tmp_path, dotenv, FORETASTE_HOST="environment")
    assert (settings.host, settings.port, settings.history_length) == ("environment", 2, 7)


@pytest.mark.parametrize(
    ("written", "heard"),
    [
        ("shop.example # the one outside", "shop.example"),
        ('"two words" # quoted', "two words"),
        ("a#b", "a#b"),
        ("it's", "it's"),
        ("'say \"so\"'", 'say "so"'),
        ("# nothing yet", ""),
    ],
)
def test_a_line_of_an_env_file_may_end_in_a_comment(tmp_path, written, heard):
    (tmp_path / ".env").write_text(f"FORETASTE_ENVIRONMENT= {written}\r\nFORETASTE_PORT=7\n")
    settings = load(dotenv=tmp_path / ".env")
    assert (settings.environment, settings.port) == (heard, 7)


def test_files_of_settings_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / ".env").write_text("FORETASTE_PORT=7\n", encoding="utf-8-sig")
    (tmp_path / "foretaste.toml").write_text('host = "toml"\n', encoding="utf-8-sig")
    settings = load(tmp_path, tmp_path / ".env")
    assert (settings.host, settings.port) == ("toml", 7)


def test_an_env_file_of_another_encoding_is_refused_by_name(tmp_path):
    (tmp_path / ".env").write_bytes("FORETASTE_HOST=zürich\n".encode("latin-1"))
    with pytest.raises(InvalidInputError, match=r"\.env is not UTF-8"):
        load(dotenv=tmp_path / ".env")


@pytest.mark.parametrize("text", ["view=0.5,purchase=3", '{"view": 0.5, "purchase": 3}'])
def test_weights_are_pairs_or_json(text):
    assert load(FORETASTE_WEIGHTS=text).weights == {"view": 0.5, "purchase": 3.0}


def test_half_lives_are_a_list():
    assert load(FORETASTE_HALF_LIVES="3600, 86400").half_lives == (3600.0, 86400.0)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("FORETASTE_PORT", "ten"),
        ("FORETASTE_PORT", "70000"),
        ("FORETASTE_HISTORY_LENGTH", "0"),
        ("FORETASTE_NAMESPACE", "two words"),
        ("FORETASTE_WEIGHTS", "view"),
        ("FORETASTE_WEIGHTS", "view=nan"),
        ("FORETASTE_HALF_LIVES", "[-1]"),
        ("FORETASTE_EXPOSURE_DAYS", "inf"),
        ("FORETASTE_EXPOSURE_DAYS", "1e9"),
    ],
)
def test_a_wrong_value_names_its_variable(variable, text):
    with pytest.raises(InvalidInputError, match=variable):
        load(**{variable: text})


def test_a_wrong_file_says_which_key(tmp_path):
    (tmp_path / "foretaste.toml").write_text("prot = 1\n")
    with pytest.raises(InvalidInputError, match="no setting is called 'prot'"):
        load(tmp_path)
    (tmp_path / "foretaste.toml").write_text("port = \n")
    with pytest.raises(InvalidInputError, match="not valid TOML"):
        load(tmp_path)


def test_variables_that_name_no_setting_are_found():
    environment = {"FORETASTE_PROT": "1", "FORETASTE_PORT": "1", "FORETASTE_HOME": "x", "PATH": ""}
    assert unknown_variables(environment, dotenv=None) == ["FORETASTE_PROT"]


def test_variables_of_an_env_file_that_change_nothing_are_found(tmp_path):
    (tmp_path / ".env").write_text("FORETASTE_PROT=1\nFORETASTE_HOME=here\nFORETASTE_CACHE=there\n")
    assert unknown_variables({}, dotenv=tmp_path / ".env") == ["FORETASTE_PROT"]
    cached = {"FORETASTE_CACHE": "elsewhere"}
    assert misplaced_variables(cached, dotenv=tmp_path / ".env") == ["FORETASTE_HOME"]


def test_diversity_and_serendipity_are_understood_by_their_plain_names():
    assert load_settings(environment={}, dotenv=None).diversity_threshold is None
    plain = load_settings(environment={"DIVERSITY_THRESHOLD": "0.4"}, dotenv=None)
    assert (plain.diversity_threshold, plain.serendipity_weight) == (0.4, None)
    both = {"SERENDIPITY_WEIGHT": "0.1", "FORETASTE_SERENDIPITY_WEIGHT": "0.3"}
    assert load_settings(environment=both, dotenv=None).serendipity_weight == 0.3
    with pytest.raises(InvalidInputError, match="DIVERSITY_THRESHOLD"):
        load_settings(environment={"DIVERSITY_THRESHOLD": "2"}, dotenv=None)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("ENVIRONMENT", "production", "production"),
        ("DEBUG", "true", True),
        ("DEBUG", "0", False),
        ("COLLABORATIVE_FACTORS", "100", 100),
        ("COLLABORATIVE_REGULARIZATION", "0.01", 0.01),
        ("CONTENT_EMBEDDING_DIM", "384", 384),
        ("TFIDF_MAX_FEATURES", "10000", 10_000),
        ("DIVERSITY_THRESHOLD", "0.3", 0.3),
        ("SERENDIPITY_WEIGHT", "0.2", 0.2),
        ("DATABASE_URL", "postgresql://db", "postgresql://db"),
        ("REDIS_URL", "redis://cache", "redis://cache"),
    ],
)
def test_the_content_platforms_settings_are_understood_as_they_stand(tmp_path, name, text, value):
    assert getattr(load_settings(environment={name: text}, dotenv=None), name.lower()) == value
    (tmp_path / ".env").write_text(f"{name}={text}\n")
    assert getattr(load_settings(environment={}, dotenv=tmp_path / ".env"), name.lower()) == value


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({"REDIS_HOST": "cache"}, "redis://cache:6379/0"),
        ({"REDIS_HOST": "cache", "REDIS_PORT": "6380"}, "redis://cache:6380/0"),
        ({"REDIS_HOST": "::1"}, "redis://[::1]:6379/0"),
        ({"REDIS_HOST": "redis", "REDIS_PORT": "tcp://10.0.0.11:6379"}, "redis://redis:6379/0"),
        ({"REDIS_HOST": "cache", "REDIS_URL": "redis://other"}, "redis://other"),
        ({"REDIS_PORT": "6380"}, ""),
    ],
)
def test_redis_is_found_under_its_host_and_port(environment, url):
    assert load(**environment).redis_url == url


def test_a_port_of_redis_that_is_none_is_refused_by_name():
    with pytest.raises(InvalidInputError, match="REDIS_PORT is 'six'"):
        load(REDIS_HOST="cache", REDIS_PORT="six")


@pytest.mark.parametrize("variable", ["FORETASTE_PORT", "FORETASTE_METRICS_PORT"])
def test_the_link_that_kubernetes_writes_for_a_service_of_our_name_is_no_setting(variable):
    assert load(**{variable: "tcp://10.0.0.2:8000"}) == Settings()


def test_a_wrong_value_under_a_plain_name_names_that():
    with pytest.raises(InvalidInputError, match=r"^COLLABORATIVE_FACTORS is 'many'"):
        load(COLLABORATIVE_FACTORS="many")


def test_what_other_programs_write_into_debug_is_not_for_us():
    assert load_settings(environment={"DEBUG": "express:*"}, dotenv=None).debug is False
    with pytest.raises(InvalidInputError, match="FORETASTE_DEBUG"):
        load_settings(environment={"FORETASTE_DEBUG": "express:*"}, dotenv=None)


def test_what_is_not_set_is_tuned_by_the_program():
    settings = load_settings(environment={}, dotenv=None)
    assert settings.collaborative_factors is settings.collaborative_regularization is None
    assert settings.content_embedding_dim is settings.tfidf_max_features is None


@pytest.mark.parametrize(
    "name", ["BANDIT_ALPHA", "BANDIT_BETA", "EPSILON", "PRIVACY_EPSILON", "PRIVACY_DELTA"]
)
def test_what_has_no_effect_yet_is_said_to_have_none(name):
    (words,) = unbuilt_variables({name: "0.1"}, dotenv=None)
    assert words.startswith(f"{name} is understood but has no effect yet")
    assert unbuilt_variables({}, dotenv=None) == []
