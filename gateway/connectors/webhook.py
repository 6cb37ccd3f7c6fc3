"""A webhook: one event posted to one address, signed as Standard Webhooks has it.

Redirects are never followed, and no connection is made to a private address unless the configuration allows it. What
an answer means is a table; when to try again is the worker's business.
"""

from __future__ import annotations

from pathlib import Path

import aiohttp
from yarl import URL

from gateway.connectors.exchange import exchange, retry_after
from gateway.connectors.public_only import led_to_private
from gateway.connectors.said import clean_answer
from gateway.connectors.webhook_secrets import SigningSecret, read_secrets, signed_headers
from gateway.errors import DeliveryFailed, OurFault, Outcome
from gateway.ports import Clock
from gateway.settings import Webhook

SECONDS = 20
""" "Request timeouts": 15 to 30 s."""
ANSWER_LIMIT = 2048
KEPT_ANSWER = 300
GONE = 410
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
"""CloudEvents HTTP binding 3.2: structured mode."""


class WebhookPost:
    """Keeps `ports.WebhookPost` for one endpoint.

    Secrets are read at each attempt, so that one that was rotated signs at once. `session` is for addresses that may
    be private, `public` connects to the public internet only.
    """

    def __init__(
        self,
        name: str,
        webhook: Webhook,
        folder: Path,
        *,
        session: aiohttp.ClientSession,
        public: aiohttp.ClientSession,
        clock: Clock,
    ) -> None:
        self._where = f"webhook {name}"
        self._webhook = webhook
        self._folder = folder
        self._session = session if webhook.allow_private else public
        self._clock = clock

    async def post(self, event_id: str, body: str) -> int:
        """Post an event; the status of the 2xx answer. Raises DeliveryFailed, and OurFault where secrets are missing.

        410 is permanent: the receiver wants nothing more, ever. Everything else may be well next time.
        """
        keys = self._secrets()
        content, now = body.encode(), self._clock()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": "partner-gateway",
            **signed_headers(keys, event_id, int(now.timestamp()), content),
        }
        url = URL(self._webhook.url)
        try:
            answer = await exchange(
                self._session,
                "POST",
                url,
                headers=tuple(headers.items()),
                body=content,
                seconds=SECONDS,
                limit=ANSWER_LIMIT,
            )
        except DeliveryFailed as failed:
            if not led_to_private(failed.__cause__):
                raise
            raise DeliveryFailed(
                f"{url.host} leads to a private address; if that is right, say allow_private: true",
                outcome=Outcome.TRANSIENT,
            ) from failed
        if answer.status // 100 == 2:  # noqa: PLR2004  the class 2xx
            return answer.status
        raise DeliveryFailed(
            _words(answer.status),
            outcome=Outcome.PERMANENT if answer.status == GONE else Outcome.TRANSIENT,
            retry_after=retry_after(answer, now),
            status=answer.status,
            answer=clean_answer(answer.body, KEPT_ANSWER),
        )

    def _secrets(self) -> tuple[SigningSecret, ...]:
        try:
            return read_secrets("its secrets", self._webhook.secrets.read(self._folder))
        except OurFault as fault:
            raise OurFault(f"{self._where}: {fault}", remedy=f"{fault.remedy}; see gateway webhook rotate") from fault


def _words(status: int) -> str:
    if status == GONE:
        return "it answered 410: it wants no events any more"
    if status // 100 == 3:  # noqa: PLR2004  the class 3xx
        return f"it answered {status}: redirects are never followed, the configuration must name the final address"
    return f"it answered {status}"
