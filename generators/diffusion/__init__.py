"""The diffusion photo source: pipelines that synthesize the same person in a scenario from a few photos."""
