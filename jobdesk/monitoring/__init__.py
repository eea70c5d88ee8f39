"""What an operator wants to know: metrics, health, and what a doctor would mend."""
