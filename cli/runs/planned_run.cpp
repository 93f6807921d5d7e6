#include "cli/runs/planned_run.h"

#include <algorithm>

namespace cultivar {
namespace {

Json optional_json(const auto& value) { return value ? Json(*value) : Json(nullptr); }

template <typename T>
std::optional<T> optional_of(const Json& json) {
    return json.is_null() ? std::nullopt : std::optional<T>(json.get<T>());
}

Json to_json(const ProposerCall& call) {
    return {{"name", call.name},
            {"refused", call.refused},
            {"seconds", call.seconds},
            {"tokens", optional_json(call.tokens)},
            {"usd", optional_json(call.usd)},
            {"joules", optional_json(call.joules)}};
}

ProposerCall call_of(const Json& json) {
    return {json.at("name").get<std::string>(),  json.at("refused").get<std::string>(),
            json.at("seconds").get<double>(),    optional_of<std::int64_t>(json.at("tokens")),
            optional_of<double>(json.at("usd")), optional_of<double>(json.value("joules", Json(nullptr)))};
}

}  // namespace

Json to_json(const Session& session, const PlannedRun& planned) {
    Json json = {{"task", session.clone->task_id},
                 {"toml", planned.child.toml},
                 {"parents", planned.parents},
                 {"operator", planned.operator_name},
                 {"choice", planned.choice},
                 {"category", planned.category},
                 {"started", planned.started},
                 {"replicate", planned.replicate},
                 {"budget_s", planned.budget_s},
                 {"wall_s", planned.wall_s},
                 {"joules", planned.joules},
                 {"training_s", planned.training.seconds},
                 {"training_joules", planned.training.joules}};
    if (!planned.slots.domains.empty()) json["energy"] = Json::parse(to_text(planned.slots));
    if (planned.by_hand) json["by_hand"] = true;
    if (planned.deaths > 0) json["deaths"] = planned.deaths;
    for (const Delay& one : planned.delays) json["delays"].push_back({one.from_unix_s, one.seconds});
    if (!planned.proposer.name.empty()) json["proposer"] = to_json(planned.proposer);
    return json;
}

std::optional<PlannedRun> parse_planned_run(const Session& session, const std::string& text) {
    try {
        Json json = Json::parse(text);
        if (json.at("task").get<std::string>() != session.clone->task_id) return std::nullopt;
        PlannedRun planned;
        auto child =
            parse_canonical(session.clone->task.space, session.clone->task_id, json.at("toml").get<std::string>());
        if (!child) return std::nullopt;
        planned.child = std::move(*child);
        planned.parents = json.at("parents").get<std::vector<std::string>>();
        planned.operator_name = json.at("operator").get<std::string>();
        planned.choice = json.at("choice").get<std::string>();
        planned.by_hand = json.contains("by_hand") ? json.at("by_hand").get<bool>() : by_hand_in(planned.choice);
        planned.category = json.at("category").get<std::string>();
        planned.started = json.at("started").get<std::string>();
        planned.replicate = json.at("replicate").get<int>();
        planned.budget_s = json.at("budget_s").get<double>();
        planned.wall_s = json.at("wall_s").get<double>();
        planned.joules = json.at("joules").get<double>();
        planned.training = {json.at("training_joules").get<double>(), json.at("training_s").get<double>()};
        if (json.contains("energy")) planned.slots = parse_energy(json.at("energy").dump()).value_or(Energy());
        if (json.contains("deaths")) planned.deaths = json.at("deaths").get<int>();
        for (const Json& one : json.value("delays", Json::array()))
            planned.delays.push_back({one.at(0).get<std::int64_t>(), one.at(1).get<double>()});
        if (json.contains("proposer")) planned.proposer = call_of(json.at("proposer"));
        return planned;
    } catch (const std::exception&) {
        return std::nullopt;
    }
}

// The joules of a call: as the proposer declares them, else by its tokens, which any model may have made.
std::optional<ProposerEnergy> energy_of(const ProposerCall& call) {
    if (call.joules) {
        const double factor = 1 + error_of("declared");
        return ProposerEnergy{*call.joules, *call.joules / factor, *call.joules * factor, "declared"};
    }
    if (!call.tokens) return std::nullopt;
    const auto tokens = static_cast<double>(*call.tokens);
    return ProposerEnergy{tokens * kJoulesPerToken, tokens * kLeastJoulesPerToken, tokens * kMostJoulesPerToken,
                          "estimated"};
}

Run blank_record(const Session& session, const PlannedRun& planned) {
    Run run;
    run.task = session.clone->task_id;
    run.candidate = planned.child.id;
    run.toml = planned.child.toml;
    run.parents = planned.parents;
    run.category = planned.category;
    run.budget_s = planned.budget_s;
    run.replicate = planned.replicate;
    run.seed = run_seed(planned.child.id, planned.replicate);
    run.operator_name = planned.operator_name;
    run.choice = planned.choice;
    run.by_hand = planned.by_hand;
    run.started = planned.started;
    run.writer = session.clone->writer;
    run.zone = session.settings.zone.value;
    run.proposer = planned.proposer.name;
    run.proposer_refused = planned.proposer.refused;
    run.proposer_seconds = planned.proposer.seconds;
    run.proposer_tokens = planned.proposer.tokens;
    run.proposer_usd = planned.proposer.usd;
    run.proposer_energy = energy_of(planned.proposer);
    return run;
}

Result<bool> already_recorded(const Session& session, const PlannedRun& planned) {
    TRY_ASSIGN(std::vector<RunRow> rows, session.index->runs(planned.child.id));
    return std::any_of(rows.begin(), rows.end(), [&](const RunRow& row) {
        return row.run.writer == session.clone->writer && row.run.started == planned.started &&
               row.run.replicate == planned.replicate;  // short runs of one candidate may start in one second
    });
}

}  // namespace cultivar
