"""Correct the stored budgets by asking GitHub: what one wrong answer told must hold nobody up for long."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from gh_backfill.clients import rate_limit
from gh_backfill.clients.credentials import Credentials
from gh_backfill.errors import GitHubError, StoreError
from gh_backfill.store import budgets
from gh_backfill.store.db import Database

log = logging.getLogger(__name__)


def correct(db: Database, credentials: Credentials, api_url: str) -> list[str]:
    """Write how GitHub says that the budget of each credential stands; returns the identities, and costs no point.

    A credential of which GitHub tells nothing, or whose budget can't be stored, is left as it is, with a line in the
    log.
    """
    corrected: list[str] = []
    for credential in credentials:
        try:
            told = rate_limit.ask(api_url, credential.token())
            identity = credential.identity
        except GitHubError as error:
            log.info("what is left of the budget of %s is not known: %s", credential.name, error)
            continue
        try:
            for resource, budget in told.items():
                budgets.correct(db, identity, resource, budget, at=datetime.now(UTC))
        except StoreError as error:
            log.warning("what is left of the budget of %s can't be stored: %s", identity, error)
            continue
        corrected.append(identity)
    return corrected
