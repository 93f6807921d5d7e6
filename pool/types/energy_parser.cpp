// Reads the energy of a record or a verdict, as it comes from pools.
#include "pool/types/record_reader.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr std::size_t kEnergyWord_bytes = 32, kMinuteText = std::string_view("2026-11-30T06:45Z").size();
constexpr std::size_t kMaxEnergy_bytes = 256 * 1024;
constexpr double kMostError = 1'000;

std::string word(RecordReader& reader, const char* field) {
    std::string text = reader.text(field);
    constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyz0123456789_-";
    if (text.empty() || text.size() > kEnergyWord_bytes || text.find_first_not_of(kAllowed) != std::string::npos)
        reader.refuse(field, "is not a plain word");
    return text;
}

std::optional<std::int64_t> minute(element value) {
    const auto text = RecordReader::text_of(value);
    if (!text || text->size() != kMinuteText || text->back() != 'Z') return std::nullopt;
    const auto unix_s = parse_utc(text->substr(0, kMinuteText - 1) + ":00Z");
    return unix_s && *unix_s >= 0 ? std::optional(*unix_s) : std::nullopt;
}

void read_slots(RecordReader& reader, EnergyDomain& domain) {
    const auto slots = reader.list("slots", kMostEnergySlots);
    if (!slots) return;
    domain.slots.reserve(slots->size());
    for (element one : *slots) {
        array row;
        const bool is_row = one.get(row) == simdjson::SUCCESS && row.size() == 4;
        const auto start = is_row ? minute(row.at(0).value_unsafe()) : std::nullopt;
        if (!start) return reader.refuse("slots", "holds something that is not a slot");
        domain.slots.push_back({*start, reader.checked("slots", row.at(1).value_unsafe(), 0, kLongestEnergySlot_s),
                                reader.checked("slots", row.at(2).value_unsafe(), 0, kHuge),
                                reader.checked("slots", row.at(3).value_unsafe(), 0, kHuge)});
    }
}

void read_domains(RecordReader& reader, Energy& energy) {
    energy.slot_s = reader.whole("slot_s", kLongestEnergySlot_s);
    if (energy.slot_s < kEnergySlot_s) reader.refuse("slot_s", "is below 15 minutes");
    const auto domains = reader.list("domains", kMostEnergyDomains);
    if (!domains) return;
    std::size_t slots = 0;
    for (element one : *domains) {
        object inner;
        if (one.get(inner) != simdjson::SUCCESS) return reader.refuse("domains", "holds something that is no domain");
        RecordReader fields(inner);
        EnergyDomain domain{word(fields, "domain"), word(fields, "method"), fields.number("error", 0, kMostError)};
        read_slots(fields, domain);
        reader.adopt(fields);
        slots += domain.slots.size();
        if (slots > kMostEnergySlots) return reader.refuse("domains", "has too many slots");
        energy.domains.push_back(std::move(domain));
    }
}

}  // namespace

Energy read_energy(RecordReader& reader) {
    Energy energy;
    energy.joules = reader.number("joules", 0, kHuge);
    energy.idle_watts = reader.number("idle_watts", 0, 1e9);
    energy.method = reader.text("method");
    if (reader.has("train_joules")) energy.train_joules = reader.number("train_joules", 0, kHuge);
    if (reader.has("domains")) read_domains(reader, energy);
    return energy;
}

Result<Energy> parse_energy(std::string_view json) {
    if (json.size() > kMaxEnergy_bytes) return fail(Code::corrupt, "an energy is too long");
    simdjson::dom::parser parser;
    object fields;
    const bool ready = parser.allocate(kMaxEnergy_bytes, kMostRecordDepth) == simdjson::SUCCESS;
    if (!ready || parser.parse(json.data(), json.size()).get(fields) != simdjson::SUCCESS)
        return fail(Code::corrupt, "an energy is not JSON");
    RecordReader reader(fields);
    Energy energy = read_energy(reader);
    if (!reader.wrong().empty()) return fail(Code::corrupt, "an energy's " + reader.wrong());
    return energy;
}

}  // namespace cultivar
