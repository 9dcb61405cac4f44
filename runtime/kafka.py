"""What all Kafka clients of the system share: how they connect, and how they wait for a broker that is not there."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError
from aiokafka.helpers import create_ssl_context

from runtime.exits import Unreachable
from runtime.retry import Fault, persist
from runtime.settings import Settings

REQUEST_TIMEOUT_MS = 20_000
_PROBE_TIMEOUT_MS = 5_000


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
            "sasl_mechanism": settings.kafka_security_sasl_mechanism or "SCRAM-SHA-512",
            "sasl_plain_username": settings.kafka_security_user,
            "sasl_plain_password": settings.kafka_password,
        }
    return options


def ssl_context(settings: Settings) -> ssl.SSLContext | None:
    """TLS by the settings; None where the connection is in the clear. Host names are always checked."""
    if "SSL" not in settings.kafka_security_protocol.replace("SASL", ""):
        return None
    context: ssl.SSLContext = create_ssl_context(
        cafile=settings.kafka_security_ca,
        certfile=settings.kafka_security_certificate,
        keyfile=settings.kafka_security_key,
    )
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


async def wait_for_broker(
    settings: Settings, waiting: Callable[[str], None] | None = None, fault: Fault | None = None
) -> None:
    """Return once a broker answers. ``waiting`` is told once, after the first attempt failed.

    Raises:
        Unreachable: none answered within the patience.
    """
    told = False

    def transient(error: BaseException) -> bool:
        nonlocal told
        if waiting is not None and not told:
            told = True
            waiting(
                f"no Kafka broker answers at {settings.kafka_bootstrap_servers}; trying for {settings.patience:.0f} s"
            )
        return transient_fault(error)

    await persist(
        lambda: _answer(settings),
        transient=transient,
        patience=settings.patience,
        fault=fault or Fault(),
        gave_up=lambda tried: unreachable(settings, tried),
    )


def transient_fault(error: BaseException) -> bool:
    """Whether a client's error may go away by itself."""
    if isinstance(error, KafkaError):
        return bool(error.retriable) or isinstance(error, KafkaConnectionError) or type(error) is KafkaError
    return isinstance(error, OSError | TimeoutError)


def unreachable(settings: Settings, tried: str) -> Unreachable:
    """The error for a broker that stayed away, with what to do about it."""
    remedy = "Start the broker, or set PGX_KAFKA_BOOTSTRAP_SERVERS (and PGX_KAFKA_SECURITY_*) to where it is"
    return Unreachable("Kafka", settings.kafka_bootstrap_servers, tried, remedy)


async def _answer(settings: Settings) -> None:
    client = AIOKafkaAdminClient(**client_options(settings) | {"request_timeout_ms": _PROBE_TIMEOUT_MS})
    try:
        # Nowhere ``wait_for``: before Python 3.12 it can swallow a cancellation that comes as the awaited is done.
        async with asyncio.timeout(_PROBE_TIMEOUT_MS / 1000 * 2):
            await client.start()
    finally:
        await client.close()
