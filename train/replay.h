// A run on record, made again: its first steps with its seed and its clock (rates depend on elapsed time).
#pragma once

#include <span>

#include "pool/gene.h"
#include "pool/record.h"
#include "train/protocol.h"

namespace cultivar {

// How far the losses of a replay may be from those on record, relatively, when nobody cheated. The same program on the
// same machine with the same number of threads gives the same bits; others add in another order. Measured over 32 steps
// of six small models on CPUs: at most 2e-8 between one and two threads, 4e-8 between AVX2 and SSE, and 2e-6 with ten
// times the default rates, where training magnifies what was rounded away.
inline constexpr double kTraceTolerance = 1e-4;

// What a trainer is to be told. Data, tokenizer, threads, device and work_dir are those of `base`; the rest is the
// record's. Errors: corrupt (a record without a trace, or one that no clock could show; a candidate that is not of the
// space).
Result<Specification> replay_specification(const Space& space, const Run& run, const Specification& base);

// The largest relative difference of two losses of the same step, over the steps that both have; infinite where that is
// none.
double trace_deviation(std::span<const double> recorded, std::span<const double> replayed);

}  // namespace cultivar
