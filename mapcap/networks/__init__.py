"""Loading the networks: CLIP, captioners and causal language models."""
