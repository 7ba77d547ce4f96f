"""``veilbench defense``: its commands and the logic behind them."""
