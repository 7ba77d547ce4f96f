"""``veilbench data``: its commands and the logic behind them."""
