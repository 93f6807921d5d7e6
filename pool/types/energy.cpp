#include "pool/types/energy.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "pool/types/energy_error.h"

namespace cultivar {
namespace {

struct MethodError {
    std::string_view method;
    double error;
};

constexpr MethodError kErrors[] = {{"rapl", 0.05}, {"nvml", 0.05},    {"hwmon", 0.1},   {"battery", 0.1},
                                   {"meter", 0.1}, {"declared", 0.3}, {"estimated", 1}, {"shared", 0.5}};

constexpr double kPer_s = 1e3, kPer_J = 1e3;
constexpr double kGrace_s = 1;  // of a part of a run, between the meter's clock and the trainer's

std::size_t slots_in(const Energy& energy) {
    std::size_t count = 0;
    for (const EnergyDomain& one : energy.domains) count += one.slots.size();
    return count;
}

void add_slot(std::map<std::int64_t, EnergySlot>& slots, std::int64_t slot_s, const EnergySlot& more) {
    const std::int64_t start = more.start_unix_s - more.start_unix_s % slot_s;
    EnergySlot& slot = slots[start];
    slot.start_unix_s = start;
    slot.seconds = std::min(slot.seconds + more.seconds, static_cast<double>(slot_s));
    slot.gross_joules += more.gross_joules;
    slot.idle_joules += more.idle_joules;
}

std::vector<EnergySlot> merged(std::int64_t slot_s, const std::vector<EnergySlot>& a,
                               const std::vector<EnergySlot>& b) {
    std::map<std::int64_t, EnergySlot> slots;
    for (const EnergySlot& slot : a) add_slot(slots, slot_s, slot);
    for (const EnergySlot& slot : b) add_slot(slots, slot_s, slot);
    std::vector<EnergySlot> out;
    for (const auto& [start, slot] : slots) out.push_back(slot);
    return out;
}

void lengthen_slots(Energy& energy, std::int64_t slot_s) {
    energy.slot_s = slot_s;
    for (EnergyDomain& one : energy.domains) one.slots = merged(slot_s, one.slots, {});
}

std::optional<std::string> wrong_in_slots(const EnergyDomain& domain, std::int64_t slot_s) {
    std::int64_t before = -1;
    for (const EnergySlot& slot : domain.slots) {
        if (slot.start_unix_s % slot_s != 0) return "a slot of its energy does not begin at a multiple of its length";
        if (slot.start_unix_s <= before) return "the slots of its energy do not ascend";
        if (slot.seconds > static_cast<double>(slot_s)) return "a slot of its energy is longer than itself";
        const double most = kMostPower_w * (slot.seconds + kGrace_s);
        if (slot.gross_joules > most || slot.idle_joules > most)
            return fmt::format("it took {:.3g} J in {:.0f} s, more than any machine draws",
                               std::max(slot.gross_joules, slot.idle_joules), slot.seconds);
        before = slot.start_unix_s;
    }
    return std::nullopt;
}

}  // namespace

double error_of(std::string_view method) {
    const auto known = std::ranges::find(kErrors, method, &MethodError::method);
    return known == std::end(kErrors) ? 1 : known->error;
}

double error_of(const Energy& energy) {
    double joules = 0, most = 0;
    for (const EnergyDomain& one : energy.domains) {
        for (const EnergySlot& slot : one.slots) {
            joules += slot.gross_joules;
            most += slot.gross_joules * (1 + one.error);
        }
    }
    return joules > 0 ? most / joules - 1 : error_of(std::string_view(energy.method));
}

void add_slots(Energy& energy, const Energy& more) {
    const std::int64_t slot_s = std::max(energy.slot_s, more.slot_s);
    if (slot_s != energy.slot_s) lengthen_slots(energy, slot_s);
    for (const EnergyDomain& one : more.domains) {
        const auto same = std::ranges::find_if(energy.domains, [&](const EnergyDomain& known) {
            return known.domain == one.domain && known.method == one.method;
        });
        EnergyDomain& into = same == energy.domains.end()
                                 ? energy.domains.emplace_back(EnergyDomain{one.domain, one.method, one.error, {}})
                                 : *same;
        into.error = std::max(into.error, one.error);
        into.slots = merged(slot_s, into.slots, one.slots);
    }
}

void round_figures(Energy& energy) {
    for (std::int64_t slot_s = energy.slot_s; slots_in(energy) > kMostSlotsWritten && slot_s < kLongestEnergySlot_s;)
        lengthen_slots(energy, slot_s = std::min(2 * slot_s, kLongestEnergySlot_s));
    for (EnergyDomain& one : energy.domains) {
        for (EnergySlot& slot : one.slots) {
            slot.seconds = std::round(slot.seconds * kPer_s) / kPer_s;
            slot.gross_joules = std::round(slot.gross_joules * kPer_J) / kPer_J;
            slot.idle_joules = std::round(slot.idle_joules * kPer_J) / kPer_J;
        }
    }
}

void limit_seconds(Energy& energy, double wall_s) {
    for (EnergyDomain& one : energy.domains) {
        double seconds = 0;
        for (const EnergySlot& slot : one.slots) seconds += slot.seconds;
        if (seconds <= wall_s) continue;
        for (EnergySlot& slot : one.slots) slot.seconds *= wall_s / seconds;
    }
}

std::optional<std::string> wrong_in(const Energy& energy, double wall_s) {
    if (energy.slot_s % kEnergySlot_s != 0) return "a slot of its energy has a length of its own";
    double gross_joules = 0;
    for (const EnergyDomain& one : energy.domains) {
        if (auto wrong = wrong_in_slots(one, energy.slot_s)) return wrong;
        double seconds = 0;
        for (const EnergySlot& slot : one.slots) seconds += slot.seconds, gross_joules += slot.gross_joules;
        if (seconds > wall_s + kGrace_s * static_cast<double>(one.slots.size() + 1))
            return fmt::format("its energy was measured for {:.0f} s of {:.0f} s", seconds, wall_s);
    }
    if (gross_joules > kMostPower_w * (wall_s + kGrace_s * static_cast<double>(slots_in(energy) + 1)))
        return fmt::format("it took {:.3g} J in {:.0f} s, more than any machine draws", gross_joules, wall_s);
    return std::nullopt;
}

}  // namespace cultivar
