#include "pool/record.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pool/digest.h"

namespace cultivar {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kStatusNames = {"done", "stopped", "failed", "unfit"};
constexpr std::array<std::string_view, 4> kDecisionNames = {"kept", "reverted", "undecided", "none"};

Json optional_json(const auto& value) { return value ? Json(*value) : Json(nullptr); }
Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json curve_json(const std::vector<CurvePoint>& curve) {
    Json rows = Json::array();
    for (const CurvePoint& point : curve) rows.push_back({point.elapsed_s, point.step, point.train_loss});
    return rows;
}

Json energy_json(const Energy& energy) {
    Json json = {{"joules", energy.joules}, {"idle_watts", energy.idle_watts}, {"method", energy.method}};
    if (energy.train_joules) json["train_joules"] = *energy.train_joules;
    return json;
}

Json to_json(const Run& run) {
    return {
        {"v", kRecordVersion},
        {"type", "run"},
        {"task", run.task},
        {"candidate", run.candidate},
        {"toml", run.toml},
        {"parents", run.parents},
        {"category", run.category},
        {"budget_s", run.budget_s},
        {"replicate", run.replicate},
        {"seed", run.seed},
        {"status", name(run.status)},
        {"decision", name(run.decision)},
        {"reason", run.reason},
        {"operator", run.operator_name},
        {"choice", run.choice},
        {"steps", run.steps},
        {"tokens", run.tokens},
        {"train_s", run.train_s},
        {"wall_s", run.wall_s},
        {"trace", {{"elapsed_s", run.trace_elapsed_s}, {"loss", run.trace_loss}}},
        {"curve", curve_json(run.curve)},
        {"chunk_loss_sums", run.chunk_loss_sums},
        {"val_loss", optional_json(run.val_loss)},
        {"val_bpb", optional_json(run.val_bpb)},
        {"expected_bpb", optional_json(run.expected_bpb)},
        {"artifact", text_or_null(run.artifact)},
        {"artifact_bytes", run.artifact_bytes},
        {"parameters", run.parameters},
        {"flops_per_token", run.flops_per_token},
        {"started", run.started},
        {"ended", run.ended},
        {"writer", run.writer},
        {"energy", energy_json(run.energy)},
        {"zone", text_or_null(run.zone)},
        {"network_bytes", optional_json(run.network_bytes)},
        {"proposer", {{"tokens", optional_json(run.proposer_tokens)}, {"usd", optional_json(run.proposer_usd)}}},
        {"trainer", run.trainer},
    };
}

Json to_json(const Claim& claim) {
    return {
        {"v", kRecordVersion},
        {"type", "claim"},
        {"task", claim.task},
        {"candidate", claim.candidate},
        {"toml", claim.toml},
        {"parents", claim.parents},
        {"category", claim.category},
        {"runs", claim.runs},
        {"val_bpb", claim.val_bpb},
        {"artifact", claim.artifact},
        {"artifact_run", claim.artifact_run},
        {"writer", claim.writer},
        {"at", claim.at},
    };
}

Json to_json(const Lease& lease) {
    return {
        {"v", kRecordVersion},
        {"type", "lease"},
        {"task", lease.task},
        {"candidate", lease.candidate},
        {"category", lease.category},
        {"budget_s", lease.budget_s},
        {"replicate", lease.replicate},
        {"writer", lease.writer},
        {"at", lease.at},
    };
}

// Reads fields of one record and keeps the first thing that is wrong.
class Reader {
public:
    explicit Reader(const Json& json) : json_(json) {}

    const std::string& wrong() const { return wrong_; }
    void refuse(const std::string& field, const std::string& why) {
        if (wrong_.empty()) wrong_ = fmt::format("'{}' {}", field, why);
    }

    bool has(const char* field) const { return json_.contains(field); }

    const Json* get(const char* field) {
        auto found = json_.find(field);
        if (found != json_.end()) return &*found;
        refuse(field, "is missing");
        return nullptr;
    }

    std::string text(const char* field, bool may_be_null = false) {
        const Json* value = get(field);
        if (!value || (may_be_null && value->is_null())) return {};
        if (value->is_string()) return value->get<std::string>();
        refuse(field, "is not text");
        return {};
    }

    std::string hex(const char* field, std::size_t digits, bool may_be_null = false) {
        std::string value = text(field, may_be_null);
        if (!is_hex(value, digits) && !(may_be_null && value.empty())) refuse(field, "is not a digest");
        return value;
    }

    double number(const char* field, double low, double high) {
        const Json* value = get(field);
        return value ? checked(field, *value, low, high) : 0;
    }

    std::int64_t whole(const char* field, std::int64_t high) {
        const Json* value = get(field);
        if (!value) return 0;
        if (value->is_number_integer() && *value >= 0 && *value <= high) return value->get<std::int64_t>();
        refuse(field, "is not a whole number in range");
        return 0;
    }

    std::optional<double> maybe_number(const char* field, double low, double high) {
        const Json* value = get(field);
        if (!value || value->is_null()) return std::nullopt;
        return checked(field, *value, low, high);
    }

    std::vector<double> numbers(const char* field, std::size_t most, double low, double high) {
        std::vector<double> out;
        const Json* value = list(field, most);
        if (!value) return out;
        for (const Json& item : *value) out.push_back(checked(field, item, low, high));
        return out;
    }

    std::vector<std::string> digests(const char* field, std::size_t most, std::size_t digits) {
        std::vector<std::string> out;
        const Json* value = list(field, most);
        if (!value) return out;
        for (const Json& item : *value) {
            if (!item.is_string() || !is_hex(item.get<std::string>(), digits)) {
                refuse(field, "holds something that is not a digest");
                return out;
            }
            out.push_back(item.get<std::string>());
        }
        return out;
    }

    const Json* list(const char* field, std::size_t most) {
        const Json* value = get(field);
        if (value && value->is_array() && value->size() <= most) return value;
        if (value) refuse(field, "is not a list of the right length");
        return nullptr;
    }

    double checked(const char* field, const Json& value, double low, double high) {
        if (value.is_number()) {
            double number = value.get<double>();
            if (std::isfinite(number) && number >= low && number <= high) return number;
        }
        refuse(field, "is not a number in range");
        return 0;
    }

    Reader inside(const char* field) {
        static const Json kEmpty = Json::object();
        const Json* value = get(field);
        if (value && value->is_object()) return Reader(*value);
        refuse(field, "is not an object");
        return Reader(kEmpty);
    }
    void adopt(const Reader& inner) {
        if (wrong_.empty()) wrong_ = inner.wrong_;
    }

private:
    const Json& json_;
    std::string wrong_;
};

constexpr double kHuge = 1e18;
constexpr double kMaxScore = 1e12;
constexpr std::int64_t kMaxWhole = std::int64_t{1} << 53;

template <typename Enum, std::size_t N>
Enum named(Reader& reader, const char* field, const std::array<std::string_view, N>& names) {
    std::string word = reader.text(field);
    for (std::size_t i = 0; i < N; ++i) {
        if (names[i] == word) return static_cast<Enum>(i);
    }
    reader.refuse(field, "has an unknown name");
    return static_cast<Enum>(N - 1);
}

std::string time_text(Reader& reader, const char* field) {
    std::string text = reader.text(field);
    if (!parse_utc(text)) reader.refuse(field, "is not a UTC time");
    return text;
}

std::vector<CurvePoint> read_curve(Reader& reader) {
    std::vector<CurvePoint> curve;
    const Json* rows = reader.list("curve", 64);
    if (!rows) return curve;
    for (const Json& row : *rows) {
        if (!row.is_array() || row.size() != 3 || !row[1].is_number_integer()) {
            reader.refuse("curve", "holds something that is not a point");
            return curve;
        }
        curve.push_back({reader.checked("curve", row[0], 0, kHuge),
                         static_cast<std::int64_t>(reader.checked("curve", row[1], 0, 1e15)),
                         reader.checked("curve", row[2], 0, 1e6)});
    }
    return curve;
}

Run read_run(Reader& reader) {
    Run run;
    run.task = reader.hex("task", 64);
    run.candidate = reader.hex("candidate", 32);
    run.toml = reader.text("toml");
    run.parents = reader.digests("parents", 2, 32);
    run.category = reader.text("category");
    run.budget_s = reader.number("budget_s", 0, 1e9);
    run.replicate = static_cast<int>(reader.whole("replicate", 1'000'000));
    run.seed = static_cast<std::uint64_t>(reader.whole("seed", kMaxWhole));
    run.status = named<RunStatus>(reader, "status", kStatusNames);
    run.decision = named<Decision>(reader, "decision", kDecisionNames);
    run.reason = reader.text("reason");
    run.operator_name = reader.text("operator");
    run.choice = reader.text("choice");
    run.steps = reader.whole("steps", kMaxWhole);
    run.tokens = reader.whole("tokens", kMaxWhole);
    run.train_s = reader.number("train_s", 0, 1e9);
    run.wall_s = reader.number("wall_s", 0, 1e9);
    Reader trace = reader.inside("trace");
    run.trace_elapsed_s = trace.numbers("elapsed_s", kTraceSteps, 0, 1e9);
    run.trace_loss = trace.numbers("loss", kTraceSteps, 0, 1e6);
    reader.adopt(trace);
    run.curve = read_curve(reader);
    run.chunk_loss_sums = reader.numbers("chunk_loss_sums", kScoreChunks, 0, kHuge);
    run.val_loss = reader.maybe_number("val_loss", 0, 1e6);
    run.val_bpb = reader.maybe_number("val_bpb", -kMaxScore, kMaxScore);
    run.expected_bpb = reader.maybe_number("expected_bpb", -kMaxScore, kMaxScore);
    run.artifact = reader.hex("artifact", 64, true);
    run.artifact_bytes = reader.whole("artifact_bytes", kMaxWhole);
    run.parameters = reader.whole("parameters", kMaxWhole);
    run.flops_per_token = reader.number("flops_per_token", 0, kHuge);
    run.started = time_text(reader, "started");
    run.ended = time_text(reader, "ended");
    run.writer = reader.text("writer");
    Reader energy = reader.inside("energy");
    run.energy = {energy.number("joules", 0, kHuge), energy.number("idle_watts", 0, 1e9), energy.text("method"), {}};
    if (energy.has("train_joules")) run.energy.train_joules = energy.number("train_joules", 0, kHuge);
    reader.adopt(energy);
    run.zone = reader.text("zone", true);
    if (auto bytes = reader.maybe_number("network_bytes", 0, 1e15))
        run.network_bytes = static_cast<std::int64_t>(*bytes);
    Reader proposer = reader.inside("proposer");
    if (auto tokens = proposer.maybe_number("tokens", 0, 1e15))
        run.proposer_tokens = static_cast<std::int64_t>(*tokens);
    run.proposer_usd = proposer.maybe_number("usd", 0, 1e9);
    reader.adopt(proposer);
    run.trainer = reader.text("trainer");
    if (run.status == RunStatus::done && !run.val_bpb) reader.refuse("val_bpb", "is missing");
    return run;
}

Claim read_claim(Reader& reader) {
    Claim claim;
    claim.task = reader.hex("task", 64);
    claim.candidate = reader.hex("candidate", 32);
    claim.toml = reader.text("toml");
    claim.parents = reader.digests("parents", 2, 32);
    claim.category = reader.text("category");
    claim.runs = reader.digests("runs", 100, 64);
    claim.val_bpb = reader.number("val_bpb", -kMaxScore, kMaxScore);
    claim.artifact = reader.hex("artifact", 64);
    claim.artifact_run = reader.hex("artifact_run", 64);
    claim.writer = reader.text("writer");
    claim.at = time_text(reader, "at");
    return claim;
}

Lease read_lease(Reader& reader) {
    Lease lease;
    lease.task = reader.hex("task", 64);
    lease.candidate = reader.hex("candidate", 32);
    lease.category = reader.text("category");
    lease.budget_s = reader.number("budget_s", 0, 1e9);
    lease.replicate = static_cast<int>(reader.whole("replicate", 1'000'000));
    lease.writer = reader.text("writer");
    lease.at = time_text(reader, "at");
    return lease;
}

}  // namespace

std::string_view name(RunStatus status) { return kStatusNames[static_cast<std::size_t>(status)]; }
std::string_view name(Decision decision) { return kDecisionNames[static_cast<std::size_t>(decision)]; }

UseCost use_cost(const Run& run) {
    UseCost cost;
    if (run.parameters > 0) cost.parameters = run.parameters;
    if (run.flops_per_token > 0) cost.forward_flops_per_token = run.flops_per_token;
    if (run.energy.train_joules && run.tokens > 0)
        cost.joules_per_token = *run.energy.train_joules / static_cast<double>(run.tokens);
    return cost;
}

std::string to_line(const Record& record) {
    return std::visit([](const auto& one) { return to_json(one); }, record)
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Record> parse_line(std::string_view line) {
    if (line.size() > kMaxRecordBytes) return fail(Code::corrupt, fmt::format("a record of {} bytes", line.size()));
    int depth = 0;
    Json json = Json::parse(
        line, [&](int level, Json::parse_event_t, Json&) { return depth = std::max(depth, level), level < 8; }, false);
    if (json.is_discarded() || !json.is_object() || depth >= 8) return fail(Code::corrupt, "a record is not JSON");
    Reader reader(json);
    auto version = reader.whole("v", 1'000'000);
    std::string type = reader.text("type");
    if (!reader.wrong().empty()) return fail(Code::corrupt, "a record's " + reader.wrong());
    if (version > kRecordVersion)
        return fail(Code::newer, fmt::format("a record of format {} needs a newer cultivar", version));
    Record record;
    if (type == "run") {
        record = read_run(reader);
    } else if (type == "claim") {
        record = read_claim(reader);
    } else if (type == "lease") {
        record = read_lease(reader);
    } else {
        return fail(Code::newer, fmt::format("a record of type '{}' needs a newer cultivar", type.substr(0, 32)));
    }
    if (!reader.wrong().empty()) return fail(Code::corrupt, fmt::format("a {} record's {}", type, reader.wrong()));
    return record;
}

std::string record_id(std::string_view line) { return sha256_hex(line); }

}  // namespace cultivar
