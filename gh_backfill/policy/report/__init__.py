"""What a report says, and to whom."""
