"""Settings as operators write them: variables, files, and what is said when they are wrong."""

from pathlib import Path

import pytest

from runtime.settings import Settings, SettingsError, table, unknown_variables, variable
from schemas.topics import LAB_RESULT


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.chdir(tmp_path)


def test_the_defaults_are_those_of_the_contract() -> None:
    settings = Settings.load()
    assert settings.kafka_bootstrap_servers == "localhost:9092"
    assert settings.kafka_idempotence is True
    assert settings.database_url == "postgresql://pgx@localhost:5432/pgx"
    assert settings.knowledge_release is None
    assert settings.dead_letter_limit == 200
    assert settings.stream_engine == "faust"
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 0)
    assert (settings.partitions, settings.replication) == (12, 1)
    assert (settings.log_level, settings.log_format) == ("info", "auto")
    assert settings.topic(LAB_RESULT) == "pgx.lab-result.v1"
    assert settings.group("genotyper") == "pgx-genotyper"


def test_a_prefix_separates_topics_and_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGX_TOPIC_PREFIX", "ward7.")
    settings = Settings.load()
    assert settings.topic(LAB_RESULT) == "ward7.pgx.lab-result.v1"
    assert settings.group("genotyper") == "ward7.pgx-genotyper"


def test_the_environment_wins_over_the_env_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PGX_PARTITIONS=3\nPGX_REPLICATION=2\n")
    monkeypatch.setenv("PGX_PARTITIONS", "5")
    settings = Settings.load()
    assert (settings.partitions, settings.replication) == (5, 2)


def test_an_empty_variable_is_as_good_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGX_INSTANCE", "")
    assert Settings.load().instance is None


def test_passwords_come_from_files_without_the_line_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret \n")
    monkeypatch.setenv("PGX_KAFKA_SECURITY_PROTOCOL", "sasl_ssl")
    monkeypatch.setenv("PGX_KAFKA_SECURITY_USER", "pgx")
    monkeypatch.setenv("PGX_KAFKA_SECURITY_PASSWORD_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("PGX_DATABASE_PASSWORD_FILE", str(tmp_path / "secret"))
    settings = Settings.load()
    assert settings.kafka_password == "s3cret "
    assert settings.database_password == "s3cret "
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PGX_HTTP_PORT", "many", "PGX_HTTP_PORT=many"),
        ("PGX_HTTP_PORT", "70000", "less than or equal to 65535"),
        ("PGX_STREAM_ENGINE", "spark", "'faust' or 'aiokafka'"),
        ("PGX_KAFKA_BOOTSTRAP_SERVERS", "broker", "host:port"),
        ("PGX_DATABASE_URL", "mysql://pgx:hidden@db/pgx", "postgresql://user@host:port/database"),
        ("PGX_KAFKA_SECURITY_CA", "/does/not/exist", "no file /does/not/exist"),
        ("PGX_KAFKA_SECURITY_PROTOCOL", "SASL_SSL", "PGX_KAFKA_SECURITY_USER"),
        ("PGX_KAFKA_SECURITY_USER", "pgx", "PGX_KAFKA_SECURITY_PROTOCOL"),
        ("PGX_TOPIC_PREFIX", "no spaces", "PGX_TOPIC_PREFIX=no spaces"),
        ("PGX_DEAD_LETTER_LIMIT", "0", "greater than or equal to 1"),
    ],
)
def test_a_wrong_value_is_named_with_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as raised:
        Settings.load()
    assert said in str(raised.value)
    assert "hidden" not in str(raised.value), "secrets are never quoted"


def test_all_wrong_values_are_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGX_HTTP_PORT", "x")
    monkeypatch.setenv("PGX_PARTITIONS", "y")
    with pytest.raises(SettingsError, match=r"(?s)PGX_HTTP_PORT.*PGX_PARTITIONS"):
        Settings.load()


def test_a_misspelt_variable_is_noticed() -> None:
    strangers = unknown_variables({"PGX_KAFKA_BOOTSTRAP_SERVER": "x:1", "PGX_PARTITIONS": "1", "PATH": "/bin"})
    assert strangers == {"PGX_KAFKA_BOOTSTRAP_SERVER": "PGX_KAFKA_BOOTSTRAP_SERVERS"}


def test_the_table_documents_every_setting() -> None:
    rows = table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [variable(name) for name in Settings.model_fields]
    assert all(row.count(" | ") == 2 and not row.endswith("| None |") for row in rows)
