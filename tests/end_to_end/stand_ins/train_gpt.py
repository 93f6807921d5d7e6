"""Stands for Parameter Golf's reference script: reads its environment and prints its lines, but trains nothing."""
import math
import os

env = os.environ
seed, cap_s, total = int(env["SEED"]), float(env["MAX_WALLCLOCK_SECONDS"]), int(env.get("ITERATIONS", "20000"))
assert 0 <= seed < 2**32, seed
assert int(env["TRAIN_BATCH_TOKENS"]) % (8 * int(env["TRAIN_SEQ_LEN"])) == 0
assert int(env["MODEL_DIM"]) % (2 * int(env["NUM_HEADS"])) == 0
rate, warmdown, layers = float(env["MATRIX_LR"]), int(env["WARMDOWN_ITERS"]), int(env["NUM_LAYERS"])
bpb = 1.2244 + 0.02 * math.log(rate / 0.06) ** 2 + 0.01 * math.log(warmdown / 3200) ** 2 + seed % 97 * 1e-5
loss = bpb * math.log(2) / 0.410521
steps, step_ms = 12, 1000 * cap_s / 12

os.makedirs("logs", exist_ok=True)
print(f"logs/{env['RUN_ID']}.txt")
print(f"val_bpb:enabled tokenizer_kind=sentencepiece tokenizer_path={env['TOKENIZER_PATH']}")
print(f"step:0/{total} val_loss:6.9357 val_bpb:4.1077 train_time:0ms step_avg:0.01ms")
for step in range(1, steps + 1):
    running = loss + (6.9 - loss) / step
    print(f"step:{step}/{total} train_loss:{running:.4f} train_time:{step * step_ms:.0f}ms step_avg:{step_ms:.2f}ms")
print(f"step:{steps}/{total} val_loss:{loss:.4f} val_bpb:{bpb:.4f} train_time:{1000 * cap_s:.0f}ms step_avg:{step_ms:.2f}ms")
print(f"stopping_early: wallclock_cap train_time:{1000 * cap_s:.0f}ms step:{steps}/{total}")
weights, code = layers * 900_000, os.path.getsize(__file__)
with open("final_model.int8.ptz", "wb") as file:
    file.truncate(weights)
print(f"Serialized model: {4 * weights} bytes")
print(f"Total submission size: {4 * weights + code} bytes")
print(f"Serialized model int8+zlib: {weights} bytes (payload:{weights} raw_torch:{weights} payload_ratio:3.91x)")
print(f"Total submission size int8+zlib: {weights + code} bytes")
bpb, loss = bpb + 0.002, loss + 0.002 * math.log(2) / 0.410521
print(f"final_int8_zlib_roundtrip val_loss:{loss:.4f} val_bpb:{bpb:.4f} eval_time:1401ms")
print(f"final_int8_zlib_roundtrip_exact val_loss:{loss:.8f} val_bpb:{bpb:.8f}")
