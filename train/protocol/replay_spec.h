// Builds the specification that repeats a recorded run: its first steps with its seed and its clock (learning rates
// depend on elapsed time).
#pragma once

#include <span>

#include "pool/types/record.h"
#include "pool/types/search_space.h"
#include "train/protocol/protocol.h"

namespace cultivar {

// The largest relative difference between honest losses of a replay and those on record. The same program on the same
// machine with the same number of threads gives the same bits. Others add in another order, and training magnifies the
// rounding differences. Measured over 32 steps of eight small models on CPUs, between one and two threads and between
// AVX2 and SSE: at the default rates the difference stays at 4e-8 or less; at ten times those, the most that the search
// may try, it grows from 1e-8 in the first sixteen steps to 1.2e-5 in the last.
inline constexpr double kTraceTolerance = 1e-4;

// Returns the trainer's specification. Data, tokenizer, threads, device and work_dir are those of `base`; the rest is
// the record's. Errors: corrupt (a record without a trace or with impossible times; a candidate outside the space).
Result<Specification> replay_specification(const Space& space, const Run& run, const Specification& base);

// Returns the largest relative difference between losses of the same step, over the steps that both have; infinite if
// they share none.
double trace_deviation(std::span<const double> recorded, std::span<const double> replayed);

}  // namespace cultivar
