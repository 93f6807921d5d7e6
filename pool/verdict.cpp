#include "pool/verdict.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pool/digest.h"
#include "pool/record.h"

namespace cultivar {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kPredicate = "urn:cultivar:verdict:1";

Json digest(const char* name, const std::string& sha256) { return {{"name", name}, {"digest", {{"sha256", sha256}}}}; }

double figure(const Json& value) {
    double number = value.get<double>();
    if (!std::isfinite(number) || number < 0 || number > 1e18) throw std::out_of_range("figure");
    return number;
}

bool one_of(const std::string& word, std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

Verdict read(const Json& json) {
    const Json& says = json.at("predicate");
    Verdict verdict;
    verdict.claim = json.at("subject").at(0).at("digest").at("sha256").get<std::string>();
    verdict.artifact = json.at("subject").at(1).at("digest").at("sha256").get<std::string>();
    verdict.task = says.at("task").get<std::string>();
    verdict.candidate = says.at("candidate").get<std::string>();
    verdict.result = says.at("result").get<std::string>();
    verdict.tier = says.at("tier").get<std::string>();
    verdict.reason = says.at("reason").get<std::string>();
    verdict.claimed_bpb = figure(says.at("claimed").at("val_bpb"));
    const Json& measured = says.at("measured");
    if (!measured.at("val_bpb").is_null()) verdict.measured_bpb = figure(measured.at("val_bpb"));
    verdict.chunks = static_cast<int>(figure(measured.at("chunks")));
    verdict.tolerance_bpb = figure(says.at("tolerance_bpb"));
    verdict.evaluator = says.at("evaluator").get<std::string>();
    verdict.slice = says.at("slice").get<std::string>();
    verdict.seconds = figure(says.at("cost").at("seconds"));
    verdict.joules = figure(says.at("cost").at("joules"));
    verdict.ratio = figure(says.at("cost").at("ratio"));
    verdict.verifier = says.at("verifier").get<std::string>();
    verdict.at = says.at("at").get<std::string>();
    return verdict;
}

}  // namespace

std::string to_line(const Verdict& verdict) {
    Json json = {
        {"_type", "https://in-toto.io/Statement/v1"},
        {"subject", {digest("claim", verdict.claim), digest("artifact", verdict.artifact)}},
        {"predicateType", kPredicate},
        {"predicate",
         {{"v", 1},
          {"task", verdict.task},
          {"candidate", verdict.candidate},
          {"result", verdict.result},
          {"tier", verdict.tier},
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
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Verdict> parse_verdict(std::string_view line) {
    if (line.size() > kMaxRecordBytes) return fail(Code::corrupt, "a verdict is too long");
    try {
        Json json = Json::parse(line);
        if (json.at("predicateType") != kPredicate)
            return fail(Code::newer, "a verdict of another format needs a newer cultivar");
        if (figure(json.at("predicate").at("v")) > 1)
            return fail(Code::newer, "a verdict of a later format needs a newer cultivar");
        Verdict verdict = read(json);
        bool good = is_hex(verdict.claim, 64) && is_hex(verdict.artifact, 64) && is_hex(verdict.task, 64) &&
                    is_hex(verdict.candidate, 32) && parse_utc(verdict.at) &&
                    one_of(verdict.result, {"accepted", "rejected", "inconclusive"}) &&
                    one_of(verdict.tier, {"structure", "rescore", "replay", "rerun"});
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
