"""Fuzzing of the files that people edit: targets, for Hypothesis and for a fuzzer that is guided by coverage."""
