#include "cli/format/shift_view.h"

#include <fmt/format.h>

#include "cli/app/terminal.h"
#include "cli/format/energy_view.h"

namespace cultivar {
namespace {

std::string money_text(const Range& money, const std::string& unit) {
    const std::string currency = unit.substr(0, unit.find('/'));
    return fmt::format("{:.3g} {} ({:.3g} to {:.3g})", money.value, currency, money.low, money.high);
}

void add_saving(const Saving& saving, double joules, const std::string& figure, const char* grid,
                std::vector<std::string>& lines) {
    if (saving.covered_joules <= 0) return;
    lines.push_back(fmt::format("saved {}, {}, by series that cover {:.0f} % of these joules", figure, grid,
                                100 * saving.covered_joules / joules));
}

Json saving_json(const Saving& saving) {
    if (saving.covered_joules <= 0) return nullptr;
    Json json = range_json(saving.saved);
    json["covered_joules"] = saving.covered_joules;
    return json;
}

}  // namespace

std::vector<std::string> shift_lines(const ShiftReport& report) {
    if (report.runs == 0) return {};
    const double joules = report.joules.value;
    std::vector<std::string> lines = {fmt::format("{} by {} on average, {} above idle", counted(report.runs, "run"),
                                                  duration_text(report.mean_delay_s),
                                                  joules_range_text(report.joules))};
    const auto& [average, marginal] = report.carbon;
    add_saving(average, joules, grams_text(average.saved) + " of carbon", "average grid", lines);
    add_saving(marginal, joules, grams_text(marginal.saved) + " of carbon", "marginal grid", lines);
    for (const auto& [unit, saving] : report.money)
        add_saving(saving, joules, money_text(saving.saved, unit), "by price", lines);
    if (lines.size() == 1) lines.emplace_back("nobody knows what that saved: no series in energy.toml has both times");
    return lines;
}

Json shift_json(const ShiftReport& report) {
    if (report.runs == 0) return nullptr;
    Json money = Json::object();
    for (const auto& [unit, saving] : report.money) money[unit.substr(0, unit.find('/'))] = saving_json(saving);
    return {{"runs", report.runs},
            {"mean_delay_s", report.mean_delay_s},
            {"joules", range_json(report.joules)},
            {"carbon_saved_g",
             {{"average", saving_json(report.carbon[kAverage])}, {"marginal", saving_json(report.carbon[kMarginal])}}},
            {"money_saved", money}};
}

}  // namespace cultivar
