"""What makes a captured history provable: differences, numbers, the quality score and the certificate."""
