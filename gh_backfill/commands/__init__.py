"""The commands: each reads its options, calls one task and shows what it returned."""
