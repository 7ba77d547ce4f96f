"""Targets whose questions share one image prefix: loaded model, packing, answers, features."""
