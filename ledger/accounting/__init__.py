"""Carbon accounting: factors, regimes, inventories and balances."""
