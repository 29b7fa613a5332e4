# Shared by the scripts beside it, which source it from the root of the checkout.

# Print the command of a Python that all requirements have packages for; $PYTHON is tried first.
python_here() {
    local candidate
    for candidate in ${PYTHON:+"$PYTHON"} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' </dev/null >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    echo 'gh-backfill: no Python 3.11 to 3.14 found: install one, or name it with PYTHON=/path/to/python3' >&2
    return 2
}

# Make .venv fit: `environment run` for using the package, `environment test` for working on it.
environment() {
    local python
    python=$(python_here) || return
    "$python" scripts/environment.py "$1" </dev/null
}
