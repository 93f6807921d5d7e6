"""Stands for autoresearch's train.py: prints its lines, but trains nothing."""
from prepare import TIME_BUDGET, evaluate_bpb

MATRIX_LR = 0.04
DEPTH = 8

for step in range(40):
    done = step / 40
    print(
        f"\rstep {step:05d} ({100 * done:.1f}%) | loss: {9 - 6 * done:.6f} | lrm: 1.00 | dt: 310ms | tok/sec: 1,691,250 "
        f"| mfu: 39.8% | epoch: 1 | remaining: {TIME_BUDGET * (1 - done):.0f}s    ",
        end="",
        flush=True,
    )
print()
print("---")
print(f"val_bpb:          {evaluate_bpb(MATRIX_LR, DEPTH):.6f}")
print(f"training_seconds: {TIME_BUDGET:.1f}")
print("total_seconds:    325.9")
print("peak_vram_mb:     45060.2")
print("mfu_percent:      39.80")
print("total_tokens_M:   499.6")
print("num_steps:        953")
print("num_params_M:     50.3")
print(f"depth:            {DEPTH}")
