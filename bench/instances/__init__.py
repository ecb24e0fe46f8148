"""Made-up editions and what befalls them, the same for the same seed: what benchmarks and property tests run on."""
