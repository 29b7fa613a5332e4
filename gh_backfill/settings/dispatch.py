"""The settings of ticks: how jobs are shared out, which workflow is started, and who is told that a tick went well."""

from __future__ import annotations

import re

from pydantic import Field, SecretStr

from gh_backfill.policy.routing import ACTIONS_PERCENT
from gh_backfill.settings.values import Labels, OffPeak, Token, Whole, given_as
from gh_backfill.settings.web import WebSettings


class DispatchSettings(WebSettings):
    """What `dispatch` needs to know beside what every command does."""

    actions_percent: Whole = Field(
        default=ACTIONS_PERCENT, ge=0, le=100, validation_alias="GH_BACKFILL_ACTIONS_PERCENT"
    )
    workflow_token: Token | None = given_as("GH_BACKFILL_WORKFLOW_TOKEN")
    workflow_ref: str = Field(default="main", validation_alias="GITHUB_REF_NAME")
    run_number: Whole | None = given_as("GITHUB_RUN_NUMBER")
    runners: Labels | None = given_as("GH_BACKFILL_RUNNERS")
    off_peak: OffPeak | None = given_as("GH_BACKFILL_OFF_PEAK")
    heartbeat_url: SecretStr | None = given_as("GH_BACKFILL_HEARTBEAT_URL")

    @property
    def runner_labels(self) -> tuple[str, ...]:
        """Return the labels of the runners on which captures take their turns; none means the workflow's own."""
        return tuple(filter(None, re.split(r"[\s,]+", self.runners or "")))
