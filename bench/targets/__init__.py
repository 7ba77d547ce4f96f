"""Vision-language model families: fine-tuning, answering, encoding."""
