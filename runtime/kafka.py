"""What all Kafka clients of the system share: how they connect, and how they wait for a broker that is not there."""

import asyncio
import ssl
import time
from collections.abc import Callable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.helpers import create_ssl_context

from runtime.exits import Unreachable
from runtime.settings import Settings

REQUEST_TIMEOUT_MS = 20_000
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


def client_options(settings: Settings) -> dict[str, Any]:
    """Options that every aiokafka client is made with: addresses, and security where it is set."""
    options: dict[str, Any] = {
        "bootstrap_servers": settings.kafka_bootstrap_servers.split(","),
        "request_timeout_ms": REQUEST_TIMEOUT_MS,
        "security_protocol": settings.kafka_security_protocol,
    }
    if (context := ssl_context(settings)) is not None:
        options["ssl_context"] = context
    if settings.kafka_security_user is not None:
        options |= {
            "sasl_mechanism": sasl_mechanism(settings),
            "sasl_plain_username": settings.kafka_security_user,
            "sasl_plain_password": settings.kafka_password,
        }
    return options


def sasl_mechanism(settings: Settings) -> str:
    """The SASL mechanism in use where a user is set."""
    return settings.kafka_security_sasl_mechanism or "SCRAM-SHA-512"


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS by the settings; None where the connection is in the clear. Host names are always checked."""
    if "SSL" not in settings.kafka_security_protocol:
        return None
    context: ssl.SSLContext = create_ssl_context(
        cafile=settings.kafka_security_ca,
        certfile=settings.kafka_security_certificate,
        keyfile=settings.kafka_security_key,
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def wait_for_broker(settings: Settings, waiting: Callable[[str], None] | None = None) -> None:
    """Return once a broker answers. ``waiting`` is told once, after the first attempt failed.

    Raises:
        Unreachable: none answered within the patience.
    """
    deadline = time.monotonic() + settings.patience
    pause, attempts = _FIRST_PAUSE, 0
    while True:
        attempts += 1
        try:
            return await _answer(settings)
        except (KafkaError, OSError, TimeoutError) as error:
            reason = _reason(error)
        if attempts == 1 and waiting is not None:
            waiting(f"no Kafka broker answers at {settings.kafka_bootstrap_servers} ({reason}); trying for"
                    f" {settings.patience:.0f} s")  # fmt: skip
        if time.monotonic() + pause > deadline:
            raise unreachable(settings, f"{attempts} attempts in {settings.patience:.0f} s, the last: {reason}")
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)


def unreachable(settings: Settings, tried: str) -> Unreachable:
    """The error for a broker that stayed away, with what to do about it."""
    remedy = "Start the broker, or set PGX_KAFKA_BOOTSTRAP_SERVERS (and PGX_KAFKA_SECURITY_*) to where it is"
    return Unreachable("Kafka", settings.kafka_bootstrap_servers, tried, remedy)


async def _answer(settings: Settings) -> None:
    options = client_options(settings) | {"request_timeout_ms": 5_000}
    client = AIOKafkaAdminClient(**options)
    try:
        await asyncio.wait_for(client.start(), 10)
    finally:
        await client.close()


def _reason(error: BaseException) -> str:
    if isinstance(error, KafkaConnectionError):
        return "connection refused or name unknown"
    return f"{type(error).__name__}: {error}".rstrip(": ")
