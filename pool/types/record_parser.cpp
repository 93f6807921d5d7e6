// Reads records as they come from pools: hostile bytes into values, or the first fault in them.
#include "pool/types/record.h"
#include "pool/types/record_reader.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

using Reader = RecordReader;
using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::object;

constexpr double kMaxScore = 1e12;
constexpr std::size_t kMaxMetrics = 5, kMaxMetricName_bytes = 64;
constexpr std::int64_t kMaxWhole = std::int64_t{1} << 53;

// One of an enumeration's members by its name; the last, and a refusal, for any other word.
template <typename Enum>
Enum named(Reader& reader, const char* field, Enum last) {
    const std::string word = reader.text(field);
    for (int i = 0; i <= static_cast<int>(last); ++i) {
        if (name(static_cast<Enum>(i)) == word) return static_cast<Enum>(i);
    }
    reader.refuse(field, "has an unknown name");
    return last;
}

std::string time_text(Reader& reader, const char* field) {
    std::string text = reader.text(field);
    if (!parse_utc(text)) reader.refuse(field, "is not a UTC time");
    return text;
}

std::vector<CurvePoint> read_curve(Reader& reader) {
    std::vector<CurvePoint> curve;
    auto rows = reader.list("curve", 64);
    if (!rows) return curve;
    for (element one : *rows) {
        array row;
        if (one.get(row) != simdjson::SUCCESS || row.size() != 3 || !Reader::whole_of(row.at(1).value_unsafe())) {
            reader.refuse("curve", "holds something that is not a point");
            return curve;
        }
        curve.push_back({reader.checked("curve", row.at(0).value_unsafe(), 0, kHuge),
                         static_cast<std::int64_t>(reader.checked("curve", row.at(1).value_unsafe(), 0, 1e15)),
                         reader.checked("curve", row.at(2).value_unsafe(), -kMaxScore, kMaxScore)});
    }
    return curve;
}

void read_failure(Reader& reader, Run& run) {
    if (!reader.has("failure")) return;
    Reader failure = reader.inside("failure");
    const std::string kind = failure.text("kind");
    for (FailureKind known : {FailureKind::candidate, FailureKind::machine}) {
        if (kind == name(known)) run.failure = known;
    }
    const std::string cause = failure.has("cause") ? failure.text("cause") : "";
    for (int i = 1; i <= static_cast<int>(FailureCause::evaluator); ++i) {
        if (cause == name(static_cast<FailureCause>(i))) run.cause = static_cast<FailureCause>(i);
    }
    if (failure.has("worker")) run.failed_worker = failure.hex("worker", 64);
    reader.adopt(failure);
}

void read_metrics(Reader& reader, Run& run) {
    if (!reader.has("metrics")) return;
    const auto metrics = reader.get("metrics");
    object members;
    if (!metrics || metrics->get(members) != simdjson::SUCCESS || members.size() > kMaxMetrics)
        return reader.refuse("metrics", "is not an object of five figures at most");
    for (const auto& [key, value] : members) {
        if (key.empty() || key.size() > kMaxMetricName_bytes)
            return reader.refuse("metrics", "has a name out of range");
        run.metrics[std::string(key)] = reader.checked("metrics", value, -kMaxScore, kMaxScore);
    }
}

ProposerEnergy read_proposer_energy(Reader& proposer) {
    ProposerEnergy energy{proposer.number("joules", 0, kHuge), 0, 0, proposer.text("joules_method")};
    const std::vector<double> range = proposer.numbers("joules_range", 2, 0, kHuge);
    const bool sound = range.size() == 2 && range[0] <= energy.joules && energy.joules <= range[1];
    if (sound) energy.low = range[0], energy.high = range[1];
    if (!sound) proposer.refuse("joules_range", "is no range around 'joules'");
    return energy;
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
    run.status = named(reader, "status", RunStatus::unfit);
    run.decision = named(reader, "decision", Decision::none);
    run.reason = reader.text("reason");
    run.operator_name = reader.text("operator");
    run.choice = reader.text("choice");
    run.by_hand = reader.has("by_hand") ? reader.truth("by_hand") : by_hand_in(run.choice);
    run.steps = reader.whole("steps", kMaxWhole);
    run.tokens = reader.whole("tokens", kMaxWhole);
    run.train_s = reader.number("train_s", 0, 1e9);
    run.wall_s = reader.number("wall_s", 0, 1e9);
    if (reader.has("train_wall_s")) run.train_wall_s = reader.number("train_wall_s", 0, 1e9);
    Reader trace = reader.inside("trace");
    run.trace_elapsed_s = trace.numbers("elapsed_s", kTraceSteps, 0, 1e9);
    run.trace_loss = trace.numbers("loss", kTraceSteps, -kMaxScore, kMaxScore);
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
    run.energy = read_energy(energy);
    reader.adopt(energy);
    run.zone = reader.text("zone", true);
    if (auto bytes = reader.maybe_number("network_bytes", 0, 1e15))
        run.network_bytes = static_cast<std::int64_t>(*bytes);
    Reader proposer = reader.inside("proposer");
    if (auto tokens = proposer.maybe_number("tokens", 0, 1e15))
        run.proposer_tokens = static_cast<std::int64_t>(*tokens);
    run.proposer_usd = proposer.maybe_number("usd", 0, 1e9);
    if (proposer.has("name")) run.proposer = proposer.text("name");
    if (proposer.has("seconds")) run.proposer_seconds = proposer.number("seconds", 0, 1e9);
    if (proposer.has("refused")) run.proposer_refused = proposer.text("refused");
    if (proposer.has("joules")) run.proposer_energy = read_proposer_energy(proposer);
    reader.adopt(proposer);
    run.trainer = reader.text("trainer");
    read_failure(reader, run);
    read_metrics(reader, run);
    if (reader.has("sandbox")) run.unsandboxed = !reader.truth("sandbox");
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
    claim.artifact = reader.hex("artifact", 64, true);
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
    if (reader.has("toml")) lease.toml = reader.text("toml");
    if (reader.has("parents")) lease.parents = reader.digests("parents", 2, 32);
    return lease;
}

Retirement read_retirement(Reader& reader) {
    Retirement retirement;
    retirement.task = reader.hex("task", 64);
    retirement.candidate = reader.hex("candidate", 32);
    retirement.retired = reader.truth("retired");
    retirement.reason = reader.text("reason");
    retirement.writer = reader.text("writer");
    retirement.at = time_text(reader, "at");
    return retirement;
}

}  // namespace

bool by_hand_in(std::string_view choice) {
    return choice.starts_with("cross: asked for by hand, of ") || choice == "import: asked for by hand";
}

Result<Record> parse_line(std::string_view line) {
    if (line.size() > kMaxRecordBytes) return fail(Code::corrupt, fmt::format("a record of {} bytes", line.size()));
    thread_local simdjson::dom::parser parser;
    thread_local const bool ready = parser.allocate(kMaxRecordBytes, kMostRecordDepth) == simdjson::SUCCESS;
    object json;
    if (!ready || parser.parse(line.data(), line.size()).get(json) != simdjson::SUCCESS)
        return fail(Code::corrupt, "a record is not JSON");
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
    } else if (type == "retirement") {
        record = read_retirement(reader);
    } else {
        return fail(Code::newer, fmt::format("a record of type '{}' needs a newer cultivar", cut(type, 32)));
    }
    if (!reader.wrong().empty()) return fail(Code::corrupt, fmt::format("a {} record's {}", type, reader.wrong()));
    return record;
}

}  // namespace cultivar
