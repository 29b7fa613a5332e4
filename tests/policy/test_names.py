"""One way to read the name of a repository, whatever it was copied from."""

from __future__ import annotations

import pytest

from gh_backfill.policy import names


@pytest.mark.parametrize(
    "given",
    [
        "octo/engine",
        " octo/engine/ ",
        "github.com/octo/engine",
        "www.github.com/octo/engine",
        "https://github.com/octo/engine",
        "HTTPS://github.com/octo/engine.git",
        "https://github.com/octo/engine/pulls",
        "https://github.com/octo/engine?tab=readme-ov-file#install",
        "https://github.com/octo/engine/pull/7/files#diff-1",
        "https://ghp_token@github.com/octo/engine",
        "https://me:secret@ghe.example.com:8443/octo/engine/issues?q=is%3Aopen",
        "https://me:se@cret@github.com/octo/engine",
        "https://api.github.com/repos/octo/engine",
        "ssh://git@github.com/octo/engine.git",
        "ssh://git@ssh.github.com:443/octo/engine.git",
        "git@github.com:octo/engine.git",
        "git@github.com:/octo/engine",
        "git://github.com/octo/engine.git",
        "git+https://github.com/octo/engine",
        "ghe.example.com:8443/octo/engine/pulls",
        "<https://github.com/octo/engine>",
    ],
)
def test_an_address_is_the_name_in_it(given: str) -> None:
    assert names.parse(given) == ("octo", "engine")


@pytest.mark.parametrize(
    "given",
    [
        *("octo", "octo/", "/engine", "octo/engine/pulls", "octo/..", "octo/eng ine", "https://github.com/octo"),
        *("", "//"),
        *("https://gitlab.com/octo/engine", "bitbucket.org/octo/engine", "https://gist.github.com/octo/engine"),
        *("https://github.com", "git@github.com", "octo?x=y/z", "octo\n/engine"),
    ],
)
def test_what_is_no_name_on_github_is_refused(given: str) -> None:
    assert names.parse(given) is None


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("https://ghp_token@github.com/octo/engine", "https://github.com/octo/engine"),
        ("https://me:se@cret@github.com/octo/engine/pulls", "https://github.com/octo/engine/pulls"),
        ("ssh://git@github.com/octo/engine.git", "ssh://git@github.com/octo/engine.git"),
        ("octo/engine", "octo/engine"),
    ],
)
def test_an_address_loses_the_token_in_it(given: str, shown: str) -> None:
    assert names.without_credentials(given) == shown
