"""The commands: each reads its options, calls one task and shows what it returned.

A command imports its task when it runs, so that no command waits for what only others need.
"""
