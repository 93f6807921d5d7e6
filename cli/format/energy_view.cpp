#include "cli/format/energy_view.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

#include "cli/app/text_table.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kKeyShown = 20, kSourceShown = 66, kMostGains = 3, kDigestShown = 12;
constexpr double kThousand = 1000;

std::string figure(double number) {
    return std::abs(number) >= 100 ? fmt::format("{:.0f}", number) : fmt::format("{:.3g}", number);
}

// In the largest of the units, a thousand of one making one of the next, that leaves the value at 1 or more.
std::string scaled(Range range, std::initializer_list<const char*> units) {
    const char* unit = *units.begin();
    for (const char* one : units) {
        if (one != *units.begin() && std::abs(range.value) < kThousand) break;
        if (one != *units.begin()) range = range * (1 / kThousand);
        unit = one;
    }
    std::string text = fmt::format("{} {}", figure(range.value), unit);
    if (figure(range.low) != figure(range.high))
        text += fmt::format(" ({} to {})", figure(range.low), figure(range.high));
    return text;
}

std::string priced(const Sum& sum, double joules, const std::string& text) {
    return sum.is_priced(joules) ? text : "no factor";
}

std::string carbon_text(const Account& account, GridAxis grid, MachineAxis axis) {
    const Sum& sum = account.carbon_g[grid][axis];
    return priced(sum, account.joules[axis].value, grams_text(sum.range));
}

std::string water_text(const Account& account, const Sum (&sums)[kMachineAxes], MachineAxis axis) {
    return priced(sums[axis], account.joules[axis].value, litres_text(sums[axis].range));
}

void add_prices(TextTable& table, const Account& account) {
    const auto both = [&](const std::string& title, const auto& cell) {
        table.row({title, "", cell(kAboveIdle), cell(kGross)});
    };
    both("carbon, average grid", [&](MachineAxis axis) { return carbon_text(account, kAverage, axis); });
    both("carbon, marginal grid", [&](MachineAxis axis) { return carbon_text(account, kMarginal, axis); });
    both("water, on site", [&](MachineAxis axis) { return water_text(account, account.water_on_l, axis); });
    both("water, off site", [&](MachineAxis axis) { return water_text(account, account.water_off_l, axis); });
    for (const auto& [unit, sum] : account.money[kGross]) {
        const std::string currency = unit.substr(0, unit.find('/'));
        both("cost", [&, name = unit](MachineAxis axis) {
            const auto found = account.money[axis].find(name);
            return found == account.money[axis].end() ? "" : scaled(found->second.range, {currency.c_str()});
        });
    }
    const bool has_embodied = account.embodied_g.value > 0;
    table.row({"making of the machine", "", "-", has_embodied ? grams_text(account.embodied_g) : "no factor"});
}

std::string totals_text(const Ui& ui, const EnergyReport& report) {
    TextTable table({{"machine:"}, {"runs", true}, {"above idle"}, {"gross"}});
    const auto row = [&](const EnergyRow& one, Paint paint) {
        const Account& account = one.account;
        table.row({one.key, one.runs > 0 ? std::to_string(one.runs) : "", joules_range_text(account.joules[kAboveIdle]),
                   joules_range_text(account.joules[kGross])},
                  paint);
    };
    for (const EnergyRow& one : report.lines) row(one, Paint::none);
    row(report.total, Paint::strong);
    const Account& all = report.total.account;
    const auto kwh = [&](MachineAxis axis) {
        return scaled(all.joules[axis] * (kThousand / kJoulesPerKwh), {"Wh", "kWh", "MWh"});
    };
    table.row({"", "", kwh(kAboveIdle), kwh(kGross)});
    add_prices(table, all);
    return table.text(ui);
}

std::string rows_text(const Ui& ui, const EnergyReport& report, const std::string& by) {
    TextTable table({{by}, {"runs", true}, {"above idle"}, {"gross"}, {"carbon"}, {"water"}});
    const auto point = [](const Range& range) { return Range::exactly(range.value); };
    for (const EnergyRow& one : report.rows) {
        const Account& account = one.account;
        Sum carbon = account.carbon_g[kAverage][kGross], water = account.water_on_l[kGross];
        water.range += account.water_off_l[kGross].range;
        water.unpriced_joules = std::max(water.unpriced_joules, account.water_off_l[kGross].unpriced_joules);
        const double joules = account.joules[kGross].value;
        table.row(
            {clean(one.key, kKeyShown), std::to_string(one.runs), joules_range_text(point(account.joules[kAboveIdle])),
             joules_range_text(point(account.joules[kGross])), priced(carbon, joules, grams_text(point(carbon.range))),
             priced(water, joules, litres_text(point(water.range)))});
    }
    return table.text(ui) +
           ui.paint(Paint::dim, "carbon and water: machine gross, grid average; --json has all axes and bounds") + "\n";
}

std::string joules_only(double joules) { return joules_range_text(Range::exactly(joules)); }

std::string methods_text(const EnergyRow& total) {
    double sum = 0;
    for (const auto& [method, joules] : total.methods) sum += joules;
    std::string text;
    for (const auto& [method, joules] : total.methods) {
        if (sum > 0 && joules > 0)
            text +=
                fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", clean(method, kKeyShown), 100 * joules / sum);
    }
    return text.empty() ? "" : "measured by: " + text + "\n";
}

// Everything that the figures do not hold, a sentence each.
std::string missing_text(const EnergyReport& report) {
    const Account& all = report.total.account;
    const Sum& carbon = all.carbon_g[kAverage][kGross];
    std::string text;
    if (all.without_gross_joules > 0)
        text += fmt::format("gross lacks the idle part of {}: no idle power was measured\n",
                            joules_only(all.without_gross_joules));
    if (report.spread_joules > 0)
        text +=
            fmt::format("{} of older records are spread evenly over their time\n", joules_only(report.spread_joules));
    if (carbon.gap_joules > 0)
        text += fmt::format("{} fall in gaps of a series and have its lowest and highest as bounds\n",
                            joules_only(carbon.gap_joules));
    if (carbon.unpriced_joules > 0 && carbon.is_priced(all.joules[kGross].value))
        text += fmt::format("{} have no factor of carbon and are not in it\n", joules_only(carbon.unpriced_joules));
    if (all.without_price_joules > 0 && !all.money[kGross].empty())
        text +=
            fmt::format("{} above idle have no price and are not in the cost\n", joules_only(all.without_price_joules));
    if (all.unpriced_s > 0 && all.embodied_g.value > 0)
        text += fmt::format("{} of machine time have no embodied factor\n", duration_text(all.unpriced_s));
    return text;
}

std::string gains_text(const Task& task, const EnergyReport& report) {
    std::string text;
    const std::string metric = task.command ? clean(task.metric, kKeyShown) : "bits per byte";
    for (std::size_t i = 0; i < std::min(report.gains.size(), kMostGains); ++i) {
        const EnergyGain& one = report.gains[i];
        const double gain = one.improvement.seed - one.improvement.best;
        const double step = std::pow(10, std::floor(std::log10(gain)));
        const auto each = [&](MachineAxis axis) { return joules_only(one.joules[axis].value * step / gain); };
        text += fmt::format("{}: {} above idle, {} gross for each {:g} {}\n  verified: {:.4g}, from {:.4g}\n",
                            clean(one.improvement.category, kKeyShown), each(kAboveIdle), each(kGross), step, metric,
                            task.score_of(one.improvement.best), task.score_of(one.improvement.seed));
    }
    return text;
}

// The source, and for a series a second line about its file.
std::string origin_text(const Factor& factor) {
    std::string text = clean(factor.source, kSourceShown);
    if (factor.year > 0) text += fmt::format(", {}", factor.year);
    if (!factor.series) return text;
    const SeriesHead& head = factor.series->head;
    text += fmt::format("\n    sha256 {}", head.sha256.substr(0, kDigestShown));
    if (head.is_forecast) text += ", forecast";
    if (head.scope != Scope::unknown) text += fmt::format(", {}", name(head.scope));
    if (!head.generated_at.empty()) text += ", " + clean(head.generated_at, kKeyShown);
    if (head.passed_over > 0) text += fmt::format(", {} passed over", head.passed_over);
    return text;
}

Json sum_json(const Sum& sum, double joules) {
    if (!sum.is_priced(joules)) return nullptr;
    Json json = range_json(sum.range);
    json["unpriced_joules"] = sum.unpriced_joules;
    json["gap_joules"] = sum.gap_joules;
    return json;
}

Json axes_json(const Sum (&sums)[kMachineAxes], const Account& account) {
    return {{"above_idle", sum_json(sums[kAboveIdle], account.joules[kAboveIdle].value)},
            {"gross", sum_json(sums[kGross], account.joules[kGross].value)}};
}

Json account_json(const Account& account) {
    Json money = Json::object();
    for (const auto& [unit, sum] : account.money[kGross]) {
        const auto above = account.money[kAboveIdle].find(unit);
        money[unit.substr(0, unit.find('/'))] = {
            {"above_idle", above == account.money[kAboveIdle].end() ? Json(nullptr) : range_json(above->second.range)},
            {"gross", range_json(sum.range)}};
    }
    const bool has_embodied = account.embodied_g.value > 0;
    return {
        {"joules",
         {{"above_idle", range_json(account.joules[kAboveIdle])}, {"gross", range_json(account.joules[kGross])}}},
        {"kwh",
         {{"above_idle", range_json(account.joules[kAboveIdle] * (1 / kJoulesPerKwh))},
          {"gross", range_json(account.joules[kGross] * (1 / kJoulesPerKwh))}}},
        {"joules_without_gross", account.without_gross_joules},
        {"carbon_g",
         {{"average", axes_json(account.carbon_g[kAverage], account)},
          {"marginal", axes_json(account.carbon_g[kMarginal], account)}}},
        {"water_l",
         {{"on_site", axes_json(account.water_on_l, account)}, {"off_site", axes_json(account.water_off_l, account)}}},
        {"money", money},
        {"joules_without_price", account.without_price_joules},
        {"embodied_g", has_embodied ? range_json(account.embodied_g) : Json(nullptr)},
        {"machine_s", account.machine_s},
        {"machine_s_without_embodied", account.unpriced_s}};
}

Json row_json(const EnergyRow& row) {
    Json json = {{"key", row.key}, {"runs", row.runs}};
    json.update(account_json(row.account));
    return json;
}

Json factor_json(const Factor& factor) {
    Json json = {{"quantity", name(factor.kind)}, {"zone", factor.zone.empty() ? Json(nullptr) : Json(factor.zone)},
                 {"unit", factor.unit},           {"range", range_json(factor.range)},
                 {"source", factor.source},       {"year", factor.year > 0 ? Json(factor.year) : Json(nullptr)},
                 {"stated_in", factor.stated_in}};
    if (!factor.series) return json;
    const SeriesHead& head = factor.series->head;
    json["series"] = {{"format", head.format},
                      {"area", head.area},
                      {"unit_in_file", head.unit_in_file},
                      {"grid", name(head.kind)},
                      {"scope", name(head.scope)},
                      {"forecast", head.is_forecast},
                      {"generated_at", head.generated_at},
                      {"sha256", head.sha256},
                      {"passed_over", head.passed_over},
                      {"quarters", factor.series->quarters.size()}};
    return json;
}

}  // namespace

Json range_json(const Range& range) { return {{"value", range.value}, {"low", range.low}, {"high", range.high}}; }

std::string litres_text(const Range& litres) { return scaled(litres * kThousand, {"mL", "L", "m3"}); }

std::string factors_text(const Ui& ui, const std::set<const Factor*>& factors) {
    std::string text = ui.paint(Paint::dim, "factors, each with its source") + "\n";
    std::vector<const Factor*> used(factors.begin(), factors.end());
    std::ranges::sort(used, {}, [](const Factor* one) { return std::tuple(one->kind, one->zone, one->stated_in); });
    for (const Factor* one : used) {
        std::string value = figure(one->range.value);
        if (one->range.low != one->range.high)
            value += fmt::format(" ({} to {})", figure(one->range.low), figure(one->range.high));
        const std::string file = std::filesystem::path(one->stated_in).filename().string();
        text += fmt::format("{}{}: {}{}{}, {}\n    {}\n", name(one->kind),
                            one->zone.empty() ? "" : " " + clean(one->zone, kKeyShown), one->series ? "mean " : "",
                            value, one->unit.empty() ? "" : " " + one->unit, clean(file, kKeyShown), origin_text(*one));
    }
    return text;
}

Json factors_json(const std::set<const Factor*>& factors) {
    Json json = Json::array();
    for (const Factor* one : factors) json.push_back(factor_json(*one));
    return json;
}

std::string joules_range_text(const Range& joules) { return scaled(joules, {"J", "kJ", "MJ", "GJ", "TJ"}); }

std::string grams_text(const Range& grams) { return scaled(grams * kThousand, {"mg", "g", "kg", "t"}); }

std::string energy_text(const Ui& ui, const Task& task, const EnergyReport& report, const std::string& by) {
    const std::string table = by.empty() ? totals_text(ui, report) : rows_text(ui, report, by);
    return table + "\n" + methods_text(report.total) + missing_text(report) + gains_text(task, report) +
           factors_text(ui, report.total.account.used);
}

Json energy_json(const EnergyReport& report, const std::string& by) {
    Json rows = Json::array(), lines = Json::array(), gains = Json::array();
    for (const EnergyRow& one : report.rows) rows.push_back(row_json(one));
    for (const EnergyRow& one : report.lines) lines.push_back(row_json(one));
    for (const EnergyGain& one : report.gains)
        gains.push_back(
            {{"category", one.improvement.category},
             {"gain", one.improvement.seed - one.improvement.best},
             {"joules",
              {{"above_idle", range_json(one.joules[kAboveIdle])}, {"gross", range_json(one.joules[kGross])}}}});
    return {{"schema", 1},
            {"by", by.empty() ? Json(nullptr) : Json(by)},
            {"total", row_json(report.total)},
            {"methods", report.total.methods},
            {"lines", lines},
            {"rows", rows},
            {"improvements", gains},
            {"joules_spread", report.spread_joules},
            {"factors", factors_json(report.total.account.used)}};
}

}  // namespace cultivar
