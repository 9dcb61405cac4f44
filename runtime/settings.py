"""Every setting of every command and service, read from ``PGX_*`` variables and a ``.env`` file.

The documented table of settings is made from this module (:func:`table`), so that it cannot differ from the code.
"""

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.topics import Topic

PREFIX = "PGX_"


class SettingsError(Exception):
    """Settings that cannot be used: one line for each, with what was expected. Holds no secret values."""


def _readable_file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"no file {path}; give the path of a file that exists")
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path} cannot be read by this user; change its permissions")
    return path


def _folders(value: str) -> str:
    for folder in filter(None, value.split(os.pathsep)):
        if not Path(folder).is_dir():
            raise ValueError(f"no folder {folder}; give the path of a folder that holds releases")
    return value


def _bootstrap_servers(value: str) -> str:
    for server in value.split(","):
        host, separator, port = server.strip().rpartition(":")
        if not (separator and host and port.isdigit() and 0 < int(port) < 65536):
            raise ValueError("write host:port, several separated by commas, such as localhost:9092")
    return ",".join(server.strip() for server in value.split(","))


def _postgresql_url(value: str) -> str:
    if not value.startswith(("postgresql://", "postgres://")):
        raise ValueError("write postgresql://user@host:port/database")
    return value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


ReadableFile = Annotated[Path, AfterValidator(_readable_file)]


class Settings(BaseSettings):
    """The settings of one process. Build it with :meth:`load`, which explains what is wrong."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    kafka_bootstrap_servers: Annotated[str, AfterValidator(_bootstrap_servers)] = Field(
        "localhost:9092", description="Brokers, as `host:port`, several separated by commas."
    )
    kafka_security_protocol: Annotated[
        Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"], BeforeValidator(_upper)
    ] = Field("PLAINTEXT", description="How to speak to the brokers.")
    kafka_security_sasl_mechanism: Annotated[
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None, BeforeValidator(_upper)
    ] = Field(None, description="SASL mechanism; `SCRAM-SHA-512` where a user is given and this is not.")
    kafka_security_user: str | None = Field(None, description="SASL user.")
    kafka_security_password: SecretStr | None = Field(None, description="SASL password; better the file below.")
    kafka_security_password_file: ReadableFile | None = Field(None, description="File that holds the SASL password.")
    kafka_security_ca: ReadableFile | None = Field(
        None, description="Certificates (PEM) that the brokers' are checked against; none: those of the system."
    )
    kafka_security_certificate: ReadableFile | None = Field(None, description="Client certificate (PEM).")
    kafka_security_key: ReadableFile | None = Field(None, description="Key of the client certificate (PEM).")
    kafka_idempotence: bool = Field(
        True, description="`false` only for brokers without idempotent producers (the embedded one)."
    )
    database_url: Annotated[str, AfterValidator(_postgresql_url)] = Field(
        "postgresql://pgx@localhost:5432/pgx", description="Results store."
    )
    database_password_file: ReadableFile | None = Field(None, description="File that holds the store's password.")
    knowledge_release: str | None = Field(
        None,
        description="Release made active at the first `pgx setup`; none: the newest in the tree. Afterwards"
        " `pgx knowledge activate` decides.",
    )
    knowledge_folder: Annotated[str, AfterValidator(_folders)] = Field(
        "",
        description="Folders of a site's own releases, beside those that come with the software; several separated"
        " by colons.",
    )
    topic_prefix: str = Field(
        "",
        pattern=r"^[A-Za-z0-9._-]{0,60}$",
        description="Put before every topic and group name, so that deployments can share brokers.",
    )
    dead_letter_limit: int = Field(
        200, ge=1, description="So many dead letters in a row on one partition end the service, also over its restarts."
    )
    dead_letter_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="A larger share of dead letters among the last 1,000 messages of a partition ends the service; 1:"
        " none does.",
    )
    instance: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
        description="Static member id of this copy in its consumer group, unique and kept over restarts; none: a"
        " dynamic member.",
    )
    stream_engine: Annotated[Literal["faust", "aiokafka"], BeforeValidator(_lower)] = Field(
        "faust", description="What reads the topics: `faust` or `aiokafka`, with the same behaviour."
    )
    http_host: str = Field("127.0.0.1", description="Address that `/healthz`, `/readyz` and `/metrics` listen on.")
    http_port: int = Field(0, ge=0, le=65535, description="Their port; 0: none.")
    partitions: int = Field(12, ge=1, le=10_000, description="Used by `pgx setup` when it creates topics.")
    replication: int = Field(1, ge=1, le=100, description="Used by `pgx setup` when it creates topics.")
    patience: float = Field(
        60.0,
        ge=1.0,
        le=3600.0,
        description="Seconds that a broker or database may be away, at the start or later, before a process gives up.",
    )
    batch_size: int = Field(100, ge=1, le=10_000, description="The most events that a service handles at once.")
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = Field(
        "info", description="The least severe log lines shown: `debug`, `info`, `warning` or `error`."
    )
    log_format: Annotated[Literal["auto", "json", "console"], BeforeValidator(_lower)] = Field(
        "auto", description="`json`, `console`, or `auto`: by whether a terminal reads it."
    )

    @model_validator(mode="after")
    def _security_is_complete(self) -> Self:
        sasl = self.kafka_security_protocol.startswith("SASL")
        if sasl and not self.kafka_security_user:
            raise ValueError("PGX_KAFKA_SECURITY_PROTOCOL asks for SASL: set PGX_KAFKA_SECURITY_USER and its password")
        if self.kafka_security_user and not sasl:
            raise ValueError("PGX_KAFKA_SECURITY_USER is given: set PGX_KAFKA_SECURITY_PROTOCOL to SASL_SSL")
        if self.kafka_security_password and self.kafka_security_password_file:
            raise ValueError("set one of PGX_KAFKA_SECURITY_PASSWORD and PGX_KAFKA_SECURITY_PASSWORD_FILE, not both")
        if sasl and self.kafka_password is None:
            raise ValueError("PGX_KAFKA_SECURITY_USER has no password: set PGX_KAFKA_SECURITY_PASSWORD_FILE")
        if bool(self.kafka_security_certificate) != bool(self.kafka_security_key):
            raise ValueError("set both PGX_KAFKA_SECURITY_CERTIFICATE and PGX_KAFKA_SECURITY_KEY, or neither")
        return self

    @classmethod
    def load(cls, **values: Any) -> Self:
        """Read the settings; ``values`` win over the environment.

        Raises:
            SettingsError: with a line for each variable that cannot be used.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError("\n".join(_explain(cls, dict(line)) for line in error.errors())) from None

    @property
    def kafka_password(self) -> str | None:
        """The SASL password, from its file where one is named."""
        if self.kafka_security_password_file is not None:
            return _secret(self.kafka_security_password_file)
        return None if self.kafka_security_password is None else self.kafka_security_password.get_secret_value()

    @property
    def database_password(self) -> str | None:
        """The store's password where it is kept in a file; None where the URL says it or none is needed."""
        return None if self.database_password_file is None else _secret(self.database_password_file)

    @property
    def stuck_seconds(self) -> float:
        """Whatever stands still for so long will not move again: longer than a batch may wait, for broker and store."""
        return 2 * self.patience + 30.0

    @property
    def knowledge_folders(self) -> tuple[Path, ...]:
        """Folders of the site's own knowledge releases."""
        return tuple(Path(folder) for folder in self.knowledge_folder.split(os.pathsep) if folder)

    def topic(self, topic: Topic) -> str:
        """The topic's name on the brokers."""
        return self.topic_prefix + topic.name

    def group(self, stage: str) -> str:
        """The consumer group of a stage."""
        return f"{self.topic_prefix}pgx-{stage}"


def variable(field: str) -> str:
    """The environment variable of a field."""
    return PREFIX + field.upper()


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Variables that look like settings but are none, each with the setting that was probably meant."""
    known = [variable(field) for field in Settings.model_fields]
    strangers = (name for name in sorted(environment) if name.startswith(PREFIX) and name not in known)
    return {name: next(iter(difflib.get_close_matches(name, known, 1, 0.8)), None) for name in strangers}


def table() -> str:
    """All settings as a Markdown table: variable, default, meaning."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        lines.append(f"| `{variable(name)}` | {_default(field)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _default(field: FieldInfo) -> str:
    if field.default is None or field.default == "":
        return "none"
    value = str(field.default).lower() if isinstance(field.default, bool) else f"{field.default}"
    return f"`{value.removesuffix('.0')}`"


def _secret(path: Path) -> str:
    return path.read_text(encoding="utf-8").rstrip("\r\n")


_SECRETS = ("database_url", "kafka_security_password")


def _explain(model: type[Settings], error: dict[str, Any]) -> str:
    message = str(error["msg"]).removeprefix("Value error, ")
    if not error["loc"]:
        return message
    field = str(error["loc"][0])
    shown = "" if field in _SECRETS else f"={error['input']}"
    described = model.model_fields[field].description if field in model.model_fields else ""
    return f"{variable(field)}{shown}: {message}. {described}"
