#include "bandit/contenders.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <numeric>

namespace cultivar {

Places::Places(std::size_t expected) : slots_(std::bit_ceil(2 * expected + 2)) {}

// Ids are digits of digests: any sixteen of them are a hash.
std::size_t Places::slot_of(std::string_view id) const {
    std::uint64_t digits[2] = {0, 0};
    std::memcpy(digits, id.data(), std::min(id.size(), sizeof digits));
    const std::uint64_t mixed = (digits[0] * 0x9e3779b97f4a7c15ULL) ^ (digits[1] * 0xc2b2ae3d27d4eb4fULL);
    std::size_t slot = (mixed >> 32) & (slots_.size() - 1);
    while (slots_[slot].place != kNone && slots_[slot].id != id) slot = (slot + 1) & (slots_.size() - 1);
    return slot;
}

std::size_t Places::enter(std::string_view id, std::size_t place) {
    std::size_t slot = slot_of(id);
    if (slots_[slot].place != kNone) return slots_[slot].place;
    if (2 * ++taken_ > slots_.size()) {
        std::vector<Slot> before(2 * slots_.size());
        before.swap(slots_);
        for (const Slot& old : before) {
            if (old.place != kNone) slots_[slot_of(old.id)] = old;
        }
        slot = slot_of(id);
    }
    slots_[slot] = {id, place};
    return place;
}

Contenders::Contenders(const History& history) : history_(history), places_(history.candidates.size()) {
    all_.reserve(history.candidates.size());
    for (const Known& known : history.candidates) {
        const std::size_t place = known.rejected ? Places::kRejected : all_.size();
        if (places_.enter(known.candidate.id, place) == all_.size()) all_.emplace_back().known = &known;
    }
    of_trial_.reserve(history.trials.size());
    for (const Trial& trial : history.trials) {
        const std::size_t place = places_.enter(trial.candidate, all_.size());
        of_trial_.push_back(place);
        if (place == Places::kRejected) continue;
        if (place == all_.size()) all_.emplace_back();
        Contender& contender = all_[place];
        (trial.own ? contender.own : contender.foreign).push_back(&trial);
        if (!trial.own) continue;
        if (trial.decision != Decision::none) contender.decision = trial.decision;
        if (trial.status == RunStatus::done && std::isfinite(trial.score)) contender.scores.push_back(trial.score);
    }
    for (const Trial& trial : history.elsewhere) {
        const std::size_t place = places_.find(trial.candidate);
        if (place < all_.size()) all_[place].elsewhere.push_back(&trial);
    }
    for (const Contender& child : all_) {
        if (child.known == nullptr || (child.own.empty() && !child.foreign.empty() && !child.known->in_flight))
            continue;
        for (const std::string& parent : child.known->parents) {
            const std::size_t place = places_.find(parent);
            if (place < all_.size()) ++all_[place].children;
        }
    }
    for (Contender& contender : all_) {
        if (!contender.scored()) continue;
        contender.mean = std::accumulate(contender.scores.begin(), contender.scores.end(), 0.0) / contender.runs();
    }
}

const Contender* Contenders::find(std::string_view candidate) const { return at(places_.find(candidate)); }

const Contender* Contenders::of(const Trial& trial) const {
    return at(of_trial_[static_cast<std::size_t>(&trial - history_.trials.data())]);
}

const Contender* Contenders::best() const {
    const Contender* best = nullptr;
    for (const Contender& contender : all_) {
        if (contender.scored() && (best == nullptr || contender.mean < best->mean)) best = &contender;
    }
    return best;
}

const Contender* Contenders::best_of(const std::vector<std::string>& candidates) const {
    const Contender* best = nullptr;
    for (const std::string& candidate : candidates) {
        const Contender* contender = find(candidate);
        if (contender == nullptr || !contender->scored()) continue;
        if (best == nullptr || contender->mean < best->mean) best = contender;
    }
    return best;
}

}  // namespace cultivar
