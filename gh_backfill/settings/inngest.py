"""The settings of Inngest, by the names that its own libraries read."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from gh_backfill.settings.values import Address, Token, Whole, given_as

AT_ONCE = 5


def _signing_key(value: SecretStr) -> SecretStr:
    """Accept a key as Inngest makes it; the error repeats nothing of it."""
    if not re.fullmatch(r"(signkey-\w+-)?([0-9A-Fa-f]{2})+", value.get_secret_value()):
        raise ValueError("must be hexadecimal, after a prefix such as signkey-prod-: copy it from Inngest again")
    return value


SigningKey = Annotated[SecretStr, AfterValidator(_signing_key)]


class InngestSettings(BaseModel):
    """What is needed to send events to Inngest, and to serve functions to it."""

    model_config = ConfigDict(extra="ignore")

    inngest_event_key: Token | None = given_as("INNGEST_EVENT_KEY", "INNGEST_PRODUCTION_EVENT_KEY")
    inngest_signing_key: SigningKey | None = given_as("INNGEST_SIGNING_KEY")
    inngest_base_url: Address | None = given_as("INNGEST_BASE_URL")
    inngest_api_base_url: Address | None = given_as("INNGEST_API_BASE_URL")
    inngest_event_api_base_url: Address | None = given_as("INNGEST_EVENT_API_BASE_URL")
    inngest_serve_origin: str | None = given_as("INNGEST_SERVE_ORIGIN")
    inngest_dev: str | None = given_as("INNGEST_DEV")
    inngest_concurrency: Whole = Field(default=AT_ONCE, ge=1, validation_alias="GH_BACKFILL_INNGEST_CONCURRENCY")

    @property
    def inngest_in_development(self) -> bool:
        """Say whether a development server is used, which neither signs what it sends nor asks for a key."""
        return (self.inngest_dev or "").strip().lower() not in ("", "0", "false")

    @property
    def inngest_sends(self) -> bool:
        """Say whether events can be sent."""
        return self.inngest_event_key is not None or self.inngest_in_development

    @property
    def inngest_serves(self) -> bool:
        """Say whether functions can be served."""
        return self.inngest_signing_key is not None or self.inngest_in_development

    @property
    def inngest_server(self) -> str | None:
        """Return the address of a server that is not Inngest's own; None for that."""
        if self.inngest_base_url is not None:
            return self.inngest_base_url
        return self.inngest_dev if self.inngest_dev is not None and "://" in self.inngest_dev else None
