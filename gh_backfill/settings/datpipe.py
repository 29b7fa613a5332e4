"""The settings of gh-datpipe, a service of existing installations that fetches events."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from gh_backfill.settings.inngest import InngestSettings
from gh_backfill.settings.values import Address, Token, given_as, unread

SERVICE = "https://gh-datapipe.fly.dev"
JOB = "{job_id}"


def _path(value: str) -> str:
    """Accept a path on the service that has a place for the id of a job."""
    if not re.fullmatch(r"/(?!/)[\w./~-]*", value.replace(JOB, "", 1)) or JOB not in value:
        raise ValueError(f"must be a path such as /api/backfill/status/{JOB}")
    return value


ServiceAddress = Annotated[Address, unread("the key")]
JobPath = Annotated[str, AfterValidator(_path)]


class DatpipeSettings(InngestSettings):
    """What is needed to hand events over to gh-datpipe; only its trigger is documented, so other paths may be given."""

    datpipe_key: Token | None = given_as("GH_DATPIPE_KEY")
    datpipe_api_url: ServiceAddress = Field(default=SERVICE, validation_alias="GH_DATPIPE_API_URL")
    datpipe_status_path: JobPath = Field(
        default=f"/api/backfill/status/{JOB}", validation_alias="GH_DATPIPE_STATUS_PATH"
    )
    datpipe_cancel_path: JobPath = Field(
        default=f"/api/backfill/cancel/{JOB}", validation_alias="GH_DATPIPE_CANCEL_PATH"
    )
