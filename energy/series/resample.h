// Slots of any length and order, as a file has them, into quarters of an hour.
#pragma once

#include <cstdint>
#include <vector>

#include "energy/series/series.h"
#include "pool/util/result.h"

namespace cultivar {

struct GridSlot {
    std::int64_t start_s = 0, end_s = 0;  // end_s = 0: the file tells points, each good until the next
    double value = 0;
};

inline constexpr std::size_t kMostGridSlots = 400'000, kMostQuarters = 400'000;  // 11 years

// Gives slots without an end the one of their step: the middle one of the distances between slots, `step_s` where there is
// but one, and no longer than up to the next slot.
void close_slots(std::vector<GridSlot>& slots, std::int64_t step_s);

// Where slots overlap, the one that starts later counts; of those that start alike, the later in the file. Errors: corrupt
// (over kMostQuarters).
Result<std::vector<Quarter>> resample(std::vector<GridSlot> slots);

}  // namespace cultivar
