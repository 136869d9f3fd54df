"""Green certificates: what stands behind them, settlement of green trades, files of registries."""
