// A run on record, made again: its first steps with its seed and its clock (rates depend on elapsed time).
#pragma once

#include <span>

#include "pool/types/record.h"
#include "pool/types/search_space.h"
#include "train/protocol/protocol.h"

namespace cultivar {

// How far the losses of a replay may be from those on record, relatively, when nobody cheated. The same program on the
// same machine with the same number of threads gives the same bits; others add in another order, and training magnifies
// what that rounds away. Measured over 32 steps of eight small models on CPUs, between one and two threads and between
// AVX2 and SSE: at the default rates it stays at 4e-8 or less; at ten times those, the most that the search may try, it grows
// from 1e-8 in the first sixteen steps to 1.2e-5 in the last.
inline constexpr double kTraceTolerance = 1e-4;

// What a trainer is to be told. Data, tokenizer, threads, device and work_dir are those of `base`; the rest is the
// record's. Errors: corrupt (a record without a trace, or one that no clock could show; a candidate that is not of the
// space).
Result<Specification> replay_specification(const Space& space, const Run& run, const Specification& base);

// The largest relative difference of two losses of the same step, over the steps that both have; infinite where that is
// none.
double trace_deviation(std::span<const double> recorded, std::span<const double> replayed);

}  // namespace cultivar
