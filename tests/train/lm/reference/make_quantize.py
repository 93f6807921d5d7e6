#!/usr/bin/python3
"""An independent implementation of Parameter Golf's quantisation in PyTorch, for any number of bits, and the numbers
that cultivar-lm's tests compare with. Needs Debian's python3-torch:

    /usr/bin/python3 tests/train/lm/reference/make_quantize.py > tests/train/lm/reference/quantize_golden.h

Matrices are made of whole numbers, so that both sides have the same floats: the sum of four 16-bit hashes is a bell, and
`ties` has weights that lie in the middle between two levels.
"""
import torch

ROWS, COLUMNS = 130, 509
FP16_SMALLEST_NORMAL = 2.0**-14


def hashes(count):
    x = (torch.arange(count, dtype=torch.int64) + 1) * 2654435761 % 2**32
    x = (x ^ (x >> 15)) * 40503 % 2**32
    return (x ^ (x >> 13)) % 65536


def bell(amplitude):
    total = hashes(4 * ROWS * COLUMNS).view(ROWS, COLUMNS, 4).sum(2)
    return ((total - 131070).double() * (amplitude / 131072)).float()


def ties():
    w = (hashes(ROWS * COLUMNS).view(ROWS, COLUMNS) % 509 - 254).float() / 2
    for row in range(ROWS):
        largest = (127.0, 31.0, 15.0, 7.0)[row % 4]
        w[row] = w[row].clamp(-largest, largest)
        w[row, 0], w[row, 1] = largest, -largest
    w[7] = 0
    return w


def quantize(w, bits, floor, quantile):
    levels = 2.0 ** (bits - 1) - 1
    clip = torch.quantile(w.abs(), quantile, dim=1)
    scale = (clip / levels).clamp_min(1 / levels if floor and bits == 8 else FP16_SMALLEST_NORMAL)
    clipped = torch.maximum(torch.minimum(w, clip[:, None]), -clip[:, None])
    q = torch.clamp(torch.round(clipped / scale[:, None]), -levels, levels).to(torch.int8)
    scale = scale.to(torch.float16)
    return q, scale, q.float() * scale.float()[:, None]


def checksum(bits):
    """Sum of (i + 1) * (number i as an unsigned whole number), modulo 2^64."""
    return sum((i + 1) * b for i, b in enumerate(bits.flatten().tolist())) % 2**64


def main():
    matrices = {"weights": bell(0.05), "large": bell(5.0), "ties": ties()}
    print(f"// Written by make_quantize.py with torch {torch.__version__}.\n// clang-format off\n#pragma once\n\n#include <cstdint>\n")
    print("namespace cultivar::golden {\n")
    print("struct Quantized {")
    print("    const char* matrix;\n    int bits;\n    bool scale_floor;\n    double clip_quantile;")
    print("    int row_1[8];  // its first levels\n    std::int64_t level_sum;")
    print("    std::uint16_t scale_1;  // of row 1, as the bits of a half")
    print("    std::uint64_t levels, scales, values;  // checksums: of the bytes, the halves' bits, the floats' bits")
    print("};\n")
    print(f"inline constexpr std::int64_t kRows = {ROWS}, kColumns = {COLUMNS};\n")
    print("inline constexpr Quantized kQuantized[] = {")
    for name, w in matrices.items():
        for bits in (8, 6, 5, 4):
            for floor in (True, False):
                for quantile in (0.9999984, 0.997, 0.9):
                    q, scale, values = quantize(w, bits, floor, quantile)
                    halves = scale.view(torch.int16).long() % 65536
                    floats = values.view(torch.int32).long() % 2**32
                    row = ", ".join(str(x) for x in q[1, :8].tolist())
                    print(f'    {{"{name}", {bits}, {str(floor).lower()}, {quantile}, {{{row}}}, {q.long().sum()}, '
                          f"{halves[1]}, {checksum(q.long() % 256)}u, {checksum(halves)}u, {checksum(floats)}u}},")
    print("};\n\n}  // namespace cultivar::golden")


main()
