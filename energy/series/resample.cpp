#include "energy/series/resample.h"

#include <algorithm>
#include <limits>

namespace cultivar {
namespace {

constexpr std::int64_t kMostStep_s = 86400;

std::int64_t quarter_of(std::int64_t unix_s) { return unix_s - unix_s % kQuarter_s; }

// Takes pieces that do not overlap, in their order, and gives means of quarters.
class Quarters {
public:
    void take(std::int64_t from_s, std::int64_t to_s, double value) {
        while (from_s < to_s && !is_full()) {
            const std::int64_t quarter_s = quarter_of(from_s), end_s = std::min(to_s, quarter_s + kQuarter_s);
            if (quarter_s != start_s_) close(quarter_s);
            const auto part_s = static_cast<double>(end_s - from_s);
            sum_ += value * part_s;
            covered_s_ += part_s;
            from_s = end_s;
        }
    }
    bool is_full() const { return made_.size() > kMostQuarters; }
    std::vector<Quarter> finish() {
        close(0);
        return std::move(made_);
    }

private:
    void close(std::int64_t next_s) {
        if (2 * covered_s_ >= kQuarter_s) made_.push_back({start_s_, sum_ / covered_s_});
        start_s_ = next_s;
        sum_ = covered_s_ = 0;
    }

    std::vector<Quarter> made_;
    std::int64_t start_s_ = 0;
    double sum_ = 0, covered_s_ = 0;
};

// The slots that hold the cursor, the one that counts on top.
class Overlaps {
public:
    explicit Overlaps(Quarters& quarters) : quarters_(quarters) {}

    void take(const GridSlot& slot) {
        advance(slot.start_s);
        cursor_s_ = slot.start_s;
        open_.push_back(slot);
    }
    void advance(std::int64_t until_s) {
        while (cursor_s_ < until_s && !open_.empty()) {
            const GridSlot& top = open_.back();
            if (top.end_s <= cursor_s_) {
                open_.pop_back();
                continue;
            }
            const std::int64_t end_s = std::min(top.end_s, until_s);
            quarters_.take(cursor_s_, end_s, top.value);
            cursor_s_ = end_s;
        }
    }

private:
    Quarters& quarters_;
    std::vector<GridSlot> open_;
    std::int64_t cursor_s_ = 0;
};

std::int64_t middle_step_s(const std::vector<GridSlot>& slots, std::int64_t step_s) {
    std::vector<std::int64_t> steps_s;
    for (std::size_t i = 1; i < slots.size(); ++i) {
        const std::int64_t one_s = slots[i].start_s - slots[i - 1].start_s;
        if (one_s > 0) steps_s.push_back(one_s);
    }
    if (steps_s.empty()) return step_s;
    const auto middle = steps_s.begin() + static_cast<std::ptrdiff_t>(steps_s.size() - 1) / 2;
    std::ranges::nth_element(steps_s, middle);
    return std::min(*middle, kMostStep_s);
}

}  // namespace

void close_slots(std::vector<GridSlot>& slots, std::int64_t step_s) {
    if (std::ranges::none_of(slots, [](const GridSlot& one) { return one.end_s == 0; })) return;
    std::ranges::stable_sort(slots, {}, &GridSlot::start_s);
    step_s = middle_step_s(slots, step_s);
    std::int64_t next_s = std::numeric_limits<std::int64_t>::max();
    for (std::size_t i = slots.size(); i-- > 0;) {
        GridSlot& slot = slots[i];
        if (i + 1 < slots.size() && slots[i + 1].start_s > slot.start_s) next_s = slots[i + 1].start_s;
        if (slot.end_s == 0) slot.end_s = std::min(slot.start_s + step_s, next_s);
    }
}

Result<std::vector<Quarter>> resample(std::vector<GridSlot> slots) {
    std::ranges::stable_sort(slots, {}, &GridSlot::start_s);
    Quarters quarters;
    Overlaps overlaps(quarters);
    for (const GridSlot& slot : slots) {
        if (slot.end_s > slot.start_s) overlaps.take(slot);
    }
    overlaps.advance(std::numeric_limits<std::int64_t>::max());
    if (quarters.is_full()) return fail(Code::corrupt, "the series covers more than 11 years");
    return quarters.finish();
}

}  // namespace cultivar
