"""The settings of the pages: who may read and change what, and by which names the server is called."""

from __future__ import annotations

import re

from pydantic import ConfigDict, Field

from gh_backfill.settings.datpipe import DatpipeSettings
from gh_backfill.settings.values import Hosts, WebToken, given_as


class WebSettings(DatpipeSettings):
    """What `serve` needs to know beside what every command does."""

    model_config = ConfigDict(extra="ignore")

    web_token: WebToken | None = given_as("GH_BACKFILL_WEB_TOKEN")
    web_admin_token: WebToken | None = given_as("GH_BACKFILL_WEB_ADMIN_TOKEN")
    web_hosts: Hosts | None = given_as("GH_BACKFILL_WEB_HOSTS")
    web_changes: bool = Field(default=True, validation_alias="ENABLE_BACKFILL_UI")

    @property
    def host_names(self) -> frozenset[str]:
        """Return the names, in lower case, by which others call the server."""
        return frozenset(filter(None, re.split(r"[\s,]+", self.web_hosts or "")))
