"""Benchmarks: ours beside the peers', in one process and run; see run.py."""
