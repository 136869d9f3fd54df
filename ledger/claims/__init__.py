"""Claims: what a consumer claims of its lots for a period, and the evidence that it hands out."""
