#include "cli/compare/arm_loader.h"

#include <algorithm>
#include <unordered_map>

#include <fmt/format.h>

#include "cli/energy/energy_stretch.h"
#include "pool/util/text.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

Purpose purpose_of(const std::string& line) {
    if (line == "verification") return Purpose::verification;
    if (line == "proposer") return Purpose::proposer;
    return line == "network" ? Purpose::network : Purpose::search;
}

SpentUse use_of(const EnergyPart& part, const EnergyGroup& group) {
    SpentUse use{.purpose = purpose_of(group.line), .method = group.method};
    // A proposer's machine is not the one of the run.
    use.meter = meter_of(group.method, group.writer) + (use.purpose == Purpose::proposer ? " for its proposer" : "");
    use.stretch = stretch_of(part);
    use.stretch.zone = group.zone;
    if (use.purpose == Purpose::network || use.purpose == Purpose::proposer) use.stretch.machine_s = 0;
    use.bytes = static_cast<double>(part.bytes);
    return use;
}

SpentRun run_of(const SpentRow& row, bool has_compute) {
    SpentRun run;
    run.end_s = parse_utc(row.at).value_or(0);
    run.start_s = run.end_s - static_cast<std::int64_t>(std::clamp(row.wall_s, 0.0, 1e9));
    run.verified_loss = row.verified_loss;
    if (has_compute) run.flops = row.training_flops;
    return run;
}

}  // namespace

std::string meter_of(const std::string& method, const std::string& writer) {
    return fmt::format("{} at {}", method, writer.substr(0, writer.rfind('.')));
}

Result<Repeat> load_repeat(Index& index, const ArmSpec& spec, bool has_compute) {
    TRY_ASSIGN(const std::vector<SpentRow> rows, index.spent_runs());
    TRY_ASSIGN(const std::vector<EnergyGroup> known, index.energy_groups());
    std::unordered_map<std::int64_t, const EnergyGroup*> groups;
    for (const EnergyGroup& one : known) groups[one.id] = &one;
    Repeat repeat;
    std::unordered_map<std::int64_t, std::size_t> places[2];  // of runs and of verdicts
    for (const SpentRow& row : rows) {
        if (!spec.takes(row)) continue;
        places[0][row.run] = repeat.runs.size();
        for (const std::int64_t verdict : row.verdicts) places[1][verdict] = repeat.runs.size();
        repeat.runs.push_back(run_of(row, has_compute));
    }
    if (repeat.runs.empty())
        return fail(Code::not_found, fmt::format("arm '{}' has no runs", clean(spec.text, 60)),
                    "cultivar energy --by contributor");
    TRY(index.each_energy([&](const EnergyPart& part) {
        const auto place = places[part.is_verdict].find(part.owner);
        const auto group = groups.find(part.group);
        if (place == places[part.is_verdict].end() || group == groups.end()) return;
        repeat.runs[place->second].uses.push_back(use_of(part, *group->second));
    }));
    return repeat;
}

}  // namespace cultivar
