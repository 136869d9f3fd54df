"""Carbon credits: reductions stored as CO2, their verification and reversal, and compliance use."""
