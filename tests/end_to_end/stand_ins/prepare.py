"""Stands for autoresearch's prepare.py."""
TIME_BUDGET = 300


def evaluate_bpb(rate, depth):
    return 0.9979 + 0.1 * (rate - 0.06) ** 2 / 0.0016 + 0.001 * abs(depth - 10)
