#include "pool/types/verdict.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pool/types/energy_json.h"
#include "pool/types/record.h"
#include "pool/util/json_depth.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

using Json = nlohmann::ordered_json;
using ForeignJson = nlohmann::json;  // the ordered one takes time by the square of the number of keys
constexpr int kMaxDepth = 16;
constexpr const char* kPredicate = "urn:cultivar:verdict:1";

Json digest(const char* name, const std::string& sha256) { return {{"name", name}, {"digest", {{"sha256", sha256}}}}; }

double figure(const ForeignJson& value) {
    double number = value.get<double>();
    if (!std::isfinite(number) || number < 0 || number > 1e18) throw std::out_of_range("figure");
    return number;
}

template <typename Enum>
Enum member(const ForeignJson& json, std::optional<Enum> (*of)(std::string_view)) {
    const std::optional<Enum> value = of(json.get<std::string>());
    if (!value) throw std::out_of_range("name");
    return *value;
}

double signed_figure(const ForeignJson& value) {
    double number = value.get<double>();
    if (!std::isfinite(number) || std::abs(number) > 1e18) throw std::out_of_range("figure");
    return number;
}

std::uint64_t seed_of(const ForeignJson& value) {
    if (!value.is_number_unsigned()) throw std::out_of_range("seed");
    return value.get<std::uint64_t>();
}

std::string checked_digest(const ForeignJson& value) {
    auto digest = value.get<std::string>();
    if (!is_hex(digest, 64)) throw std::out_of_range("digest");
    return digest;
}

Json or_null(const std::optional<double>& figure) { return figure ? Json(*figure) : Json(nullptr); }

std::optional<double> optional_figure(const ForeignJson& value) {
    return value.is_null() ? std::nullopt : std::optional(signed_figure(value));
}

Json record_json(const RecordMark& record) {
    Json json = {
        {"accepted", record.accepted}, {"seeds", record.seeds}, {"against", nullptr}, {"gain", nullptr}, {"p", nullptr},
        {"interval", nullptr}};
    if (record.against.empty()) return json;
    json["against"] = record.against, json["gain"] = record.gain, json["p"] = record.p;
    json["interval"] = {record.low, record.high};
    return json;
}

RecordMark read_record(const ForeignJson& json) {
    RecordMark record;
    record.accepted = json.at("accepted").get<bool>();
    record.seeds = static_cast<int>(figure(json.at("seeds")));
    if (json.at("against").is_null()) return record;
    record.against = checked_digest(json.at("against"));
    record.gain = signed_figure(json.at("gain")), record.p = figure(json.at("p"));
    record.low = signed_figure(json.at("interval").at(0)), record.high = signed_figure(json.at("interval").at(1));
    return record;
}

Check read_check(const ForeignJson& json) {
    Check check{json.at("name").get<std::string>(), optional_figure(json.at("claimed")),
                optional_figure(json.at("measured")), optional_figure(json.at("tolerance")),
                static_cast<std::int64_t>(figure(json.at("count")))};
    if (json.contains("interval")) {
        check.low = signed_figure(json.at("interval").at(0));
        check.high = signed_figure(json.at("interval").at(1));
    }
    if (json.contains("seconds")) check.seconds = figure(json.at("seconds"));
    return check;
}

Json check_json(const Check& check) {
    Json json = {{"name", check.name},
                 {"claimed", or_null(check.claimed)},
                 {"measured", or_null(check.measured)},
                 {"tolerance", or_null(check.tolerance)},
                 {"count", check.count}};
    if (check.low && check.high) json["interval"] = {*check.low, *check.high};
    if (check.seconds) json["seconds"] = *check.seconds;
    return json;
}

PlannedAudit read_plan(const ForeignJson& json) {
    return {member(json.at("tier"), tier_of), member(json.at("extent"), audit_extent_of),
            json.contains("rerun_waits") && json.at("rerun_waits").get<bool>()};
}

Json plan_json(const PlannedAudit& plan) {
    Json json = {{"tier", name(plan.tier)}, {"extent", name(plan.extent)}};
    if (plan.rerun_waits) json["rerun_waits"] = true;
    return json;
}

// Verdicts from before "plan" say it in the text of "chosen" alone. These are the forms that it ever had:
//   "in full: WHY", "in full: WHY, its rerun waits", "replayed: WHY", "scored again: WHY", "TIER: asked for by name"
std::optional<PlannedAudit> plan_in(std::string_view chosen) {
    const bool waits = chosen.ends_with("its rerun waits");
    if (chosen.starts_with("in full: "))
        return PlannedAudit{waits ? Tier::replay : Tier::rerun, AuditExtent::in_full, waits};
    if (chosen == "replayed: no key answers for it") return PlannedAudit{Tier::replay, AuditExtent::whole, waits};
    if (chosen.starts_with("replayed: ")) return PlannedAudit{Tier::replay, AuditExtent::sample, waits};
    if (chosen.starts_with("scored again: ")) return PlannedAudit{Tier::rescore, AuditExtent::sample, waits};
    if (const auto tier = tier_of(chosen.substr(0, chosen.find(':'))))
        return PlannedAudit{*tier, AuditExtent::sample, waits};
    return waits ? std::optional(PlannedAudit{Tier::replay, AuditExtent::sample, waits}) : std::nullopt;
}

Energy read_cost_energy(const ForeignJson& json, double seconds) {
    auto energy = parse_energy(json.dump());
    if (!energy || wrong_in(*energy, seconds)) throw std::out_of_range("energy");
    return std::move(*energy);
}

// The fields that came after the first verdicts.
void read_later(const ForeignJson& says, Verdict& verdict) {
    for (const ForeignJson& one : says.value("data", ForeignJson::array()))
        verdict.data.push_back({one.at("name").get<std::string>(), checked_digest(one.at("digest").at("sha256"))});
    if (says.contains("evaluator_sha256")) verdict.evaluator_sha256 = checked_digest(says.at("evaluator_sha256"));
    for (const ForeignJson& one : says.value("checks", ForeignJson::array())) verdict.checks.push_back(read_check(one));
    verdict.chosen = says.value("chosen", "");
    for (const ForeignJson& one : says.value("reruns", ForeignJson::array()))
        verdict.reruns.push_back({seed_of(one.at("seed")), signed_figure(one.at("val_bpb")),
                                  one.contains("seconds") ? figure(one.at("seconds")) : 0});
    if (says.contains("record")) verdict.record = read_record(says.at("record"));
    verdict.certainty = certainty_of(says.value("certainty", name(Certainty::accepted)));
    if (says.contains("first")) verdict.first = checked_digest(says.at("first"));
    if (says.at("cost").contains("energy"))
        verdict.energy = read_cost_energy(says.at("cost").at("energy"), verdict.seconds);
    verdict.zone = says.value("zone", "");
    verdict.earns = says.value("earns", true);
    verdict.plan = says.contains("plan") ? read_plan(says.at("plan")) : plan_in(verdict.chosen);
}

void write_later(const Verdict& verdict, Json& says) {
    if (verdict.energy) says["cost"]["energy"] = energy_json(*verdict.energy);
    if (!verdict.zone.empty()) says["zone"] = verdict.zone;
    for (const Digested& one : verdict.data) says["data"].push_back(digest(one.name.c_str(), one.sha256));
    if (!verdict.evaluator_sha256.empty()) says["evaluator_sha256"] = verdict.evaluator_sha256;
    for (const Check& one : verdict.checks) says["checks"].push_back(check_json(one));
    if (!verdict.chosen.empty()) says["chosen"] = verdict.chosen;
    for (const Rerun& one : verdict.reruns) {
        Json& json = says["reruns"].emplace_back(Json{{"seed", one.seed}, {"val_bpb", one.val_bpb}});
        if (one.seconds > 0) json["seconds"] = one.seconds;
    }
    if (verdict.record) says["record"] = record_json(*verdict.record);
    if (verdict.plan) says["plan"] = plan_json(*verdict.plan);
    if (verdict.certainty != Certainty::accepted) says["certainty"] = name(verdict.certainty);
    if (!verdict.first.empty()) says["first"] = verdict.first;
    if (!verdict.earns) says["earns"] = false;
}

Json subjects(const Verdict& verdict) {
    Json all = Json::array({digest("claim", verdict.claim)});
    if (!verdict.artifact.empty()) all.push_back(digest("artifact", verdict.artifact));
    return all;
}

Verdict read(const ForeignJson& json) {
    const ForeignJson& says = json.at("predicate");
    Verdict verdict;
    verdict.claim = json.at("subject").at(0).at("digest").at("sha256").get<std::string>();
    if (json.at("subject").size() > 1)
        verdict.artifact = checked_digest(json.at("subject").at(1).at("digest").at("sha256"));
    verdict.task = says.at("task").get<std::string>();
    verdict.candidate = says.at("candidate").get<std::string>();
    verdict.result = member(says.at("result"), verdict_result_of);
    verdict.tier = member(says.at("tier"), tier_of);
    verdict.reason = says.at("reason").get<std::string>();
    verdict.claimed_bpb = signed_figure(says.at("claimed").at("val_bpb"));
    const ForeignJson& measured = says.at("measured");
    if (!measured.at("val_bpb").is_null()) verdict.measured_bpb = signed_figure(measured.at("val_bpb"));
    verdict.chunks = static_cast<int>(figure(measured.at("chunks")));
    verdict.tolerance_bpb = figure(says.at("tolerance_bpb"));
    verdict.evaluator = says.at("evaluator").get<std::string>();
    verdict.slice = says.at("slice").get<std::string>();
    verdict.seconds = figure(says.at("cost").at("seconds"));
    verdict.joules = figure(says.at("cost").at("joules"));
    verdict.ratio = figure(says.at("cost").at("ratio"));
    verdict.verifier = says.at("verifier").get<std::string>();
    verdict.at = says.at("at").get<std::string>();
    read_later(says, verdict);
    return verdict;
}

}  // namespace

const char* word(const Verdict& verdict) {
    return verdict.result == VerdictResult::accepted ? name(verdict.certainty) : name(verdict.result);
}

bool owes_rerun(const Verdict& verdict) {
    if (verdict.result != VerdictResult::accepted || !verdict.plan) return false;
    const bool in_vain = verdict.plan->tier == Tier::rerun && verdict.tier < Tier::rerun;
    return verdict.plan->rerun_waits || (in_vain && verdict.certainty != Certainty::scored);
}

std::vector<double> fresh_scores(const std::vector<Rerun>& reruns) {
    std::vector<double> scores;
    for (const Rerun& one : reruns) scores.push_back(one.val_bpb);
    return scores;
}

std::string to_line(const Verdict& verdict) {
    Json json = {
        {"_type", "https://in-toto.io/Statement/v1"},
        {"subject", subjects(verdict)},
        {"predicateType", kPredicate},
        {"predicate",
         {{"v", 1},
          {"task", verdict.task},
          {"candidate", verdict.candidate},
          {"result", name(verdict.result)},
          {"tier", name(verdict.tier)},
          {"reason", verdict.reason},
          {"claimed", {{"val_bpb", verdict.claimed_bpb}}},
          {"measured",
           {{"val_bpb", verdict.measured_bpb ? Json(*verdict.measured_bpb) : Json(nullptr)},
            {"chunks", verdict.chunks}}},
          {"tolerance_bpb", verdict.tolerance_bpb},
          {"evaluator", verdict.evaluator},
          {"slice", verdict.slice},
          {"cost", {{"seconds", verdict.seconds}, {"joules", verdict.joules}, {"ratio", verdict.ratio}}},
          {"verifier", verdict.verifier},
          {"at", verdict.at}}},
    };
    write_later(verdict, json["predicate"]);
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Verdict> parse_verdict(std::string_view line) {
    if (line.size() > kMaxRecordBytes) return fail(Code::corrupt, "a verdict is too long");
    if (nests_deeper(line, kMaxDepth)) return fail(Code::corrupt, "a verdict nests too deeply");
    try {
        const ForeignJson json = ForeignJson::parse(line);
        if (json.at("predicateType") != kPredicate)
            return fail(Code::newer, "a verdict of another format needs a newer cultivar");
        if (figure(json.at("predicate").at("v")) > 1)
            return fail(Code::newer, "a verdict of a later format needs a newer cultivar");
        Verdict verdict = read(json);
        bool good = is_hex(verdict.claim, 64) && is_hex(verdict.task, 64) && is_hex(verdict.candidate, 32) &&
                    parse_utc(verdict.at);
        if (!good) return fail(Code::corrupt, "a verdict's fields are out of range");
        return verdict;
    } catch (const std::exception&) {
        return fail(Code::corrupt, "a verdict is not a statement of the right form");
    }
}

std::string verdict_time(const std::optional<Verdict>& before, std::int64_t now_s) {
    const auto then_s = before ? parse_utc(before->at) : Result<std::int64_t>(0);
    return utc_text(then_s ? std::max(now_s, *then_s + 1) : now_s);
}

}  // namespace cultivar
