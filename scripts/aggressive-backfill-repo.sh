#!/usr/bin/env bash
# Everything of one repository: its data, embeddings, and the figures of its workspaces.
#   scripts/aggressive-backfill-repo.sh OWNER NAME [--dry-run] [--time-range DAYS] [--skip-embeddings] [--embeddings-only]
#                                       [--skip-workspace] [--wait MINUTES]
# OWNER/NAME in one word is as good.  What it does and what each option means: gh-backfill aggressive --help
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
(cd "$root" && . scripts/lib.sh && environment run)
exec "$root/.venv/bin/gh-backfill" aggressive "$@"
