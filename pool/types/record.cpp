#include "pool/types/record.h"

#include <charconv>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pool/types/energy_json.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 4> kStatusNames = {"done", "stopped", "failed", "unfit"};
constexpr std::array<std::string_view, 3> kFailureNames = {"unknown", "candidate", "machine"};
constexpr std::array<std::string_view, 12> kCauseNames = {"unknown",  "exit code",      "signal",     "time",
                                                          "no score", "several scores", "not finite", "unreadable",
                                                          "output",   "checks",         "artifact",   "evaluator"};
constexpr std::array<std::string_view, 4> kDecisionNames = {"kept", "reverted", "undecided", "none"};

Json optional_json(const auto& value) { return value ? Json(*value) : Json(nullptr); }
Json text_or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

Json curve_json(const std::vector<CurvePoint>& curve) {
    Json rows = Json::array();
    for (const CurvePoint& point : curve) rows.push_back({point.elapsed_s, point.step, point.train_loss});
    return rows;
}

double to_digits(double value, int digits) {
    std::array<char, 64> text{};
    auto end =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific, digits - 1).ptr;
    std::from_chars(text.data(), end, value);
    return value;
}

double to_multiple(double value, double per_unit) { return std::round(value * per_unit) / per_unit; }

Json proposer_json(const Run& run) {
    Json json = {{"tokens", optional_json(run.proposer_tokens)}, {"usd", optional_json(run.proposer_usd)}};
    if (const auto& energy = run.proposer_energy) {
        json["joules"] = energy->joules;
        json["joules_range"] = {energy->low, energy->high};
        json["joules_method"] = energy->method;
    }
    if (run.proposer.empty()) return json;
    json["name"] = run.proposer;
    json["seconds"] = run.proposer_seconds;
    if (!run.proposer_refused.empty()) json["refused"] = run.proposer_refused;
    return json;
}

Json to_json(const Run& run) {
    Json json = {
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
        {"proposer", proposer_json(run)},
        {"trainer", run.trainer},
    };
    if (run.train_wall_s > 0) json["train_wall_s"] = run.train_wall_s;
    if (run.by_hand) json["by_hand"] = true;
    if (run.unsandboxed) json["sandbox"] = false;
    if (!run.metrics.empty()) json["metrics"] = run.metrics;
    if (run.failure != FailureKind::unknown || run.cause != FailureCause::unknown || !run.failed_worker.empty()) {
        json["failure"] = {{"kind", name(run.failure)}};
        if (run.cause != FailureCause::unknown) json["failure"]["cause"] = name(run.cause);
        if (!run.failed_worker.empty()) json["failure"]["worker"] = run.failed_worker;
    }
    return json;
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
    Json json = {
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
    if (!lease.toml.empty()) json["toml"] = lease.toml;
    if (!lease.parents.empty()) json["parents"] = lease.parents;
    return json;
}

Json to_json(const Retirement& retirement) {
    return {
        {"v", kRecordVersion},           {"type", "retirement"},
        {"task", retirement.task},       {"candidate", retirement.candidate},
        {"retired", retirement.retired}, {"reason", retirement.reason},
        {"writer", retirement.writer},   {"at", retirement.at},
    };
}

}  // namespace

std::string_view name(RunStatus status) { return kStatusNames[static_cast<std::size_t>(status)]; }
std::string_view name(FailureCause cause) { return kCauseNames.at(static_cast<std::size_t>(cause)); }
std::string_view name(FailureKind kind) { return kFailureNames[static_cast<std::size_t>(kind)]; }
std::string_view name(Decision decision) { return kDecisionNames[static_cast<std::size_t>(decision)]; }

UseCost use_cost(const Run& run) {
    UseCost cost;
    if (run.parameters > 0) cost.parameters = run.parameters;
    if (run.flops_per_token > 0) cost.forward_flops_per_token = run.flops_per_token;
    if (run.energy.train_joules && run.tokens > 0)
        cost.joules_per_token = *run.energy.train_joules / static_cast<double>(run.tokens);
    return cost;
}

void round_figures(Run& run) {
    constexpr double kTicksPer_s = 1 / kClockTick_s;
    for (double* seconds : {&run.train_s, &run.train_wall_s, &run.wall_s})
        *seconds = to_multiple(*seconds, kTicksPer_s);
    for (double& reading_s : run.trace_elapsed_s) reading_s = to_multiple(reading_s, kTicksPer_s);
    for (double& loss : run.trace_loss) loss = to_digits(loss, 7);
    for (CurvePoint& point : run.curve) {
        point.elapsed_s = to_multiple(point.elapsed_s, 1e3);
        point.train_loss = to_digits(point.train_loss, 5);
    }
    for (double& nats : run.chunk_loss_sums) nats = to_digits(nats, 8);
}

std::string to_line(const Record& record) {
    return std::visit([](const auto& one) { return to_json(one); }, record)
        .dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string record_id(std::string_view line) { return sha256_hex(line); }

}  // namespace cultivar
