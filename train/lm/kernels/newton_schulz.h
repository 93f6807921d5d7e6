// Muon's orthogonalisation (Jordan et al. 2024): X <- aX + (bA + cA^2)X with A = X X^T, (a, b, c) = (3.4445, -4.7750,
// 2.0315), from X of Frobenius norm at most 1. A has the smaller side of X; its symmetry saves a third of the work.
#pragma once

#include <cstdint>

namespace cultivar {

std::int64_t newton_schulz_scratch_floats(std::int64_t rows, std::int64_t columns);

// Replaces x [rows, columns] in place. fp32; within a lane one thread. Cost per iteration: rows * columns * smaller * 3
// + smaller^3 multiplications.
void newton_schulz(float* x, std::int64_t rows, std::int64_t columns, std::int64_t iterations, float* scratch);

}  // namespace cultivar
