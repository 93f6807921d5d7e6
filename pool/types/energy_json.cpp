#include "pool/types/energy_json.h"

#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

using SlotJson = nlohmann::ordered_json;

// "2026-11-30T06:45Z": no slot begins within a minute.
std::string minute_text(std::int64_t unix_s) {
    constexpr std::size_t kMinute = std::string_view("2026-11-30T06:45").size();
    return utc_text(unix_s).substr(0, kMinute) + "Z";
}

SlotJson domain_json(const EnergyDomain& domain) {
    SlotJson slots = SlotJson::array();
    for (const EnergySlot& slot : domain.slots)
        slots.push_back({minute_text(slot.start_unix_s), slot.seconds, slot.gross_joules, slot.idle_joules});
    return {{"domain", domain.domain}, {"method", domain.method}, {"error", domain.error}, {"slots", std::move(slots)}};
}

}  // namespace

nlohmann::ordered_json energy_json(const Energy& energy) {
    SlotJson json = {{"joules", energy.joules}, {"idle_watts", energy.idle_watts}, {"method", energy.method}};
    if (energy.train_joules) json["train_joules"] = *energy.train_joules;
    if (energy.domains.empty()) return json;
    json["slot_s"] = energy.slot_s;
    for (const EnergyDomain& one : energy.domains) json["domains"].push_back(domain_json(one));
    return json;
}

std::string to_text(const Energy& energy) { return energy_json(energy).dump(); }

}  // namespace cultivar
