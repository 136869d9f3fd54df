"""Accounting: factors, regimes, and what an organisation and the park emit under each of them."""
