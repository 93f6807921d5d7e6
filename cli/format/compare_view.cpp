#include "cli/format/compare_view.h"

#include <fmt/format.h>

#include "cli/app/text_table.h"
#include "cli/format/compare_rows.h"
#include "cli/format/energy_view.h"

namespace cultivar {
namespace {

constexpr std::size_t kArmShown = 22, kLine = 80;
constexpr const char* kHow =
    "ratios: first to second, of geometric means, 95 %, bounds of all figures included; repeats asked for by a power "
    "of 80 %";

// Broken between words.
std::string wrapped(const std::string& line, const std::string& indent) {
    std::string text, row = line;
    while (row.size() > kLine) {
        const std::size_t space = row.rfind(' ', kLine);
        if (space == std::string::npos || space <= indent.size()) break;
        text += row.substr(0, space) + "\n";
        row = indent + row.substr(space + 1);
    }
    return text + row + "\n";
}

std::string lines_text(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& one : lines) text += wrapped(one, "  ");
    return text;
}

std::string arm_title(const Arm& arm, std::size_t most) {
    const std::string name = clean(arm.name, 400);
    return name.size() > most ? std::string(cut(name, most - 3)) + "..." : name;
}

std::string markdown_row(const std::array<std::string, 3>& cells) {
    std::string text = "|";
    for (std::string cell : cells) {
        for (std::size_t at = 0; (at = cell.find('|', at)) != std::string::npos; at += 2) cell.insert(at, "\\");
        text += " " + cell + " |";
    }
    return text + "\n";
}

std::string markdown_list(const std::string& title, const std::vector<std::string>& lines) {
    if (lines.empty()) return "";
    std::string text = "\n" + title + "\n\n";
    for (const std::string& one : lines) text += "- " + one + "\n";
    return text;
}

Json two(double low, double high) { return {{"low", low}, {"high", high}}; }

Json axes(const double (&figures)[kMachineAxes]) {
    return {{"above_idle", figures[kAboveIdle]}, {"gross", figures[kGross]}};
}

Json tally_json(const CompareReport& report, const Repeat& repeat, const Tally& tally, const Lacks& lacks) {
    const bool has_water = lacks.unpriced_joules[static_cast<int>(Measure::water)] <= 0;
    return {
        {"name", repeat.name},
        {"seed", repeat.seed.empty() ? Json(nullptr) : Json(repeat.seed)},
        {"reached", tally.is_reached},
        {"score", tally.best_loss ? Json(report.score_of(*tally.best_loss)) : Json(nullptr)},
        {"runs", tally.runs},
        {"wall_s", tally.elapsed_s},
        {"machine_s", tally.machine_s},
        {"flops", or_null(tally.flops)},
        {"joules", axes(tally.joules)},
        {"verification_joules", axes(tally.verification_joules)},
        {"water_on_site_l", has_water ? axes(tally.water_on_l) : Json(nullptr)},
        {"water_off_site_l", has_water ? axes(tally.water_off_l) : Json(nullptr)},
        {"embodied_g", tally.embodied_g > 0 || lacks.unmade_s <= 0 ? Json(tally.embodied_g) : Json(nullptr)},
        {"peak_w", tally.peak_w},
        {"network_bytes", tally.bytes > 0 ? Json(tally.bytes) : Json(nullptr)},
        {"network_joules", tally.bytes > 0 && lacks.unrouted_bytes <= 0 ? Json(tally.network_joules) : Json(nullptr)}};
}

Json arm_json(const CompareReport& report, std::size_t arm) {
    const Arm& one = report.arms[arm];
    const Lacks& lacks = report.comparison.lacks[arm];
    Json repeats = Json::array();
    for (std::size_t i = 0; i < one.repeats.size(); ++i)
        repeats.push_back(tally_json(report, one.repeats[i], report.comparison.tallies[arm][i], lacks));
    return {{"name", one.name},
            {"task", one.task},
            {"methods", one.methods()},
            {"bought_kg", or_null(one.bought_kg)},
            {"joules_without_idle", lacks.without_idle_joules},
            {"machine_s_without_embodied", lacks.unmade_s},
            {"repeats", repeats}};
}

const char* doubt_word(Doubt doubt) {
    switch (doubt) {
        case Doubt::none:
            return "";
        case Doubt::one_repeat:
            return "one repeat";
        case Doubt::chance:
            return "chance";
        case Doubt::bounds:
            return "bounds";
        case Doubt::never_met:
            return "never reached";
        case Doubt::no_factor:
            return "no factor";
        case Doubt::no_idle:
            return "no idle power";
        case Doubt::nothing:
            return "nothing spent";
    }
    return "";
}

const char* measure_word(Measure measure) {
    if (measure == Measure::energy) return "energy";
    return measure == Measure::water ? "water" : "carbon";
}

Json grid_json(Measure measure) {
    if (measure == Measure::carbon_average) return "average";
    return measure == Measure::carbon_marginal ? Json("marginal") : Json(nullptr);
}

Json accounting_json(const Accounting& accounting) {
    return {{"figure", measure_word(accounting.measure)},
            {"machine", accounting.machine == kGross ? "gross" : "above_idle"},
            {"grid", grid_json(accounting.measure)}};
}

Json chance_json(const std::optional<LogRatio>& chance) {
    if (!chance) return nullptr;
    return {{"log_mean", chance->mean},
            {"student", two(chance->t_low, chance->t_high)},
            {"bootstrap", two(chance->bootstrap_low, chance->bootstrap_high)},
            {"deviation", chance->deviation},
            {"paired", chance->is_paired}};
}

Json judged_json(const Judged& judged) {
    Json json = accounting_json(judged.accounting);
    const bool has_costs = judged.costs[0] > 0 && judged.costs[1] > 0;
    const char* unit = judged.accounting.measure == Measure::energy  ? "J"
                       : judged.accounting.measure == Measure::water ? "L"
                                                                     : "g";
    json["unit"] = unit;
    json["means"] = Json::array();
    for (const Range& one : judged.bounds) json["means"].push_back(has_costs ? range_json(one) : Json(nullptr));
    json["ratio"] = judged.ratio > 0 ? Json(judged.ratio) : Json(nullptr);
    json["interval"] = judged.chance ? two(judged.low, judged.high) : Json(nullptr);
    json["chance"] = chance_json(judged.chance);
    json["log_bounds"] = two(judged.down, judged.up);
    json["lower_bound"] = judged.is_at_least, json["upper_bound"] = judged.is_at_most;
    json["finding"] = name(judged.finding);
    json["doubt"] = judged.doubt == Doubt::none ? Json(nullptr) : Json(doubt_word(judged.doubt));
    json["more_repeats"] = or_null(judged.more);
    json["sentence"] = sentence(judged);
    return json;
}

const char* kind_word(SourceKind kind) {
    switch (kind) {
        case SourceKind::idle:
            return "idle share";
        case SourceKind::embodied:
            return "embodied";
        case SourceKind::network:
            return "network";
        case SourceKind::water:
            return "water";
        case SourceKind::meter:
            return "meter";
        case SourceKind::pue:
            return "PUE";
        case SourceKind::grid:
            return "grid";
    }
    return "";
}

Json flip_json(const Flip& flip) {
    Json json = accounting_json(flip.accounting);
    json.update({{"factor", kind_word(flip.kind)},
                 {"scale", flip.is_share ? "share" : "multiple"},
                 {"from", flip.from},
                 {"to", flip.to},
                 {"finding", name(flip.finding)},
                 {"within_bounds", flip.is_within_bounds}});
    return json;
}

Json target_json(const CompareReport& report) {
    const Target& target = report.comparison.target;
    const bool is_score = target.kind == TargetKind::score;
    return {{"kind", is_score                             ? "score"
                     : target.kind == TargetKind::compute ? "flops"
                                                          : "joules"},
            {"amount", is_score ? report.score_of(target.amount) : target.amount},
            {"stated", !report.is_target_found}};
}

Json score_json(const CompareReport& report) {
    const auto& score = report.comparison.score;
    if (!score) return nullptr;
    Json means = Json::array();
    for (const auto& loss : score->losses) means.push_back(loss ? Json(report.score_of(*loss)) : Json(nullptr));
    return {{"means", means},
            {"chance", chance_json(score->chance)},
            {"finding", score->finding == Finding::lower    ? "better"
                        : score->finding == Finding::higher ? "worse"
                                                            : "cannot say"},
            {"more_repeats", or_null(score->more)}};
}

}  // namespace

std::string compare_text(const Ui& ui, const CompareReport& report) {
    TextTable costs(
        {{"mean of a repeat"}, {arm_title(report.arms[0], kArmShown)}, {arm_title(report.arms[1], kArmShown)}});
    for (const auto& [title, first, second] : cost_rows(report)) costs.row({title, first, second});
    TextTable ratios({{"ratio"}, {"first / second (95 %)"}, {"the first is"}});
    for (const auto& [title, ratio, finding] : ratio_rows(report)) ratios.row({title, ratio, finding});
    std::string text = wrapped(target_text(report), "  ") + costs.text(ui) + "\n" + ratios.text(ui) + "\n";
    text += lines_text(finding_lines(report)) + wrapped(kHow, "  ");
    const std::vector<std::string> flips = sensitivity_lines(report);
    if (!flips.empty()) text += "\n" + ui.paint(Paint::dim, "figures that change a finding") + "\n" + lines_text(flips);
    return text + "\n" + lines_text(note_lines(report)) + factors_text(ui, report.comparison.used);
}

std::string compare_markdown(const CompareReport& report) {
    std::string text = fmt::format("Cost {}\n\n", target_text(report));
    text += markdown_row({"", arm_title(report.arms[0], 200), arm_title(report.arms[1], 200)}) + "|---|---|---|\n";
    for (const auto& row : cost_rows(report)) text += markdown_row(row);
    text += "\n" + markdown_row({"ratio", "first / second (95 %)", "the first is"}) + "|---|---|---|\n";
    for (const auto& row : ratio_rows(report)) text += markdown_row(row);
    text += markdown_list("Findings", finding_lines(report)) + "\n" + kHow + "\n";
    text += markdown_list("Figures that change a finding", sensitivity_lines(report));
    text += markdown_list("Notes", note_lines(report));
    Ui plain;
    return text + "\n```\n" + factors_text(plain, report.comparison.used) + "```\n";
}

Json compare_json(const CompareReport& report) {
    const Comparison& comparison = report.comparison;
    Json accountings = Json::array(), flips = Json::array();
    for (const Judged& one : comparison.judged) accountings.push_back(judged_json(one));
    for (const Flip& one : comparison.flips) flips.push_back(flip_json(one));
    return {{"schema", 1},
            {"target", target_json(report)},
            {"metric", report.metric},
            {"paired", comparison.is_paired},
            {"arms", {arm_json(report, 0), arm_json(report, 1)}},
            {"accountings", accountings},
            {"score", score_json(report)},
            {"sensitivity", flips},
            {"unlike", comparison.unlike},
            {"notes", report.notes},
            {"factors", factors_json(comparison.used)}};
}

}  // namespace cultivar
