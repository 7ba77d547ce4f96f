"""The embedded diffusion model: small, trained by this project on rendered people."""
