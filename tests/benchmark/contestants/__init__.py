"""The contestants of the larger benchmarks, and what they are given to do."""
