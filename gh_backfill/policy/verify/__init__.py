"""Proof of a captured history: differences, numbers, the quality score and the certificate."""
