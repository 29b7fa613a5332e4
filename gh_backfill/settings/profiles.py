"""The settings of profiles: how old one may be."""

from __future__ import annotations

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, Field

from gh_backfill.settings.values import Whole

DAYS = 30


class ProfileSettings(BaseModel):
    """What reading the profiles of people needs to know."""

    model_config = ConfigDict(extra="ignore")

    profile_days: Whole = Field(default=DAYS, ge=1, le=3_660, validation_alias="GH_BACKFILL_PROFILE_DAYS")

    @property
    def profiles_old(self) -> timedelta:
        """Return after how long a profile is read again."""
        return timedelta(days=self.profile_days)
