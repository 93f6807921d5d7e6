#include "benchmarks/pool/figures.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace cultivar {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMiB = 1 << 20;

template <typename Of>
double median_of(const std::vector<const TimedSample*>& samples, const Of& of) {
    if (samples.empty()) return 0;
    std::vector<double> values;
    for (const TimedSample* sample : samples) values.push_back(of(*sample));
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

template <typename Of>
double largest_of(const std::vector<const TimedSample*>& samples, const Of& of) {
    double largest = 0;
    for (const TimedSample* sample : samples) largest = std::max(largest, static_cast<double>(of(*sample)));
    return largest;
}

double wall(const TimedSample& sample) { return sample.measured.wall_s; }
double own_peak(const TimedSample& sample) { return static_cast<double>(sample.measured.own_peak_bytes); }
double peak(const TimedSample& sample) { return static_cast<double>(sample.measured.peak_bytes); }
double sent(const TimedSample& sample) { return static_cast<double>(sample.traffic.sent_bytes); }
double received(const TimedSample& sample) { return static_cast<double>(sample.traffic.received_bytes); }

std::string last_problem(const Figure& figure) {
    for (auto sample = figure.samples.rbegin(); sample != figure.samples.rend(); ++sample) {
        if (!sample->problem.empty()) return sample->problem;
    }
    return {};
}

double to_4_digits(double value) { return std::stod(fmt::format("{:.4g}", value)); }

Json figure_json(const Figure& figure) {
    const auto good = figure.good();
    Json json = {{"times", good.size()}};
    if (!good.empty()) {
        json["median_s"] = to_4_digits(figure.median_s());
        json["max_s"] = to_4_digits(largest_of(good, wall));
        json["own_peak_bytes"] = static_cast<std::int64_t>(largest_of(good, own_peak));
        json["peak_bytes"] = static_cast<std::int64_t>(largest_of(good, peak));
        json["sent_bytes"] = static_cast<std::int64_t>(median_of(good, sent));
        json["received_bytes"] = static_cast<std::int64_t>(median_of(good, received));
        for (const auto& [part, first] : good.front()->parts) {
            const std::string& name = part;
            json[name] = to_4_digits(median_of(good, [&](const TimedSample& sample) { return sample.parts.at(name); }));
        }
    }
    if (good.size() < figure.samples.size()) {
        json["failed"] = figure.samples.size() - good.size();
        json["problem"] = last_problem(figure);
    }
    return json;
}

struct Growth {
    std::string figure;
    int from = 0, to = 0;
    double ratio = 0, exponent = 0;
};

std::vector<Growth> growth_of(const std::vector<SizeReport>& reports) {
    std::vector<Growth> rows;
    for (std::size_t i = 1; i < reports.size(); ++i) {
        for (const Figure& now : reports[i].figures) {
            const auto& earlier = reports[i - 1].figures;
            auto before = std::ranges::find(earlier, now.name, &Figure::name);
            if (before == earlier.end() || before->good().empty() || now.good().empty()) continue;
            Growth row{now.name, reports[i - 1].runs, reports[i].runs, now.median_s() / before->median_s(), 0};
            row.exponent = std::log(row.ratio) / std::log(static_cast<double>(row.to) / row.from);
            rows.push_back(row);
        }
    }
    return rows;
}

}  // namespace

std::vector<const TimedSample*> Figure::good() const {
    std::vector<const TimedSample*> found;
    for (const TimedSample& sample : samples) {
        if (sample.problem.empty()) found.push_back(&sample);
    }
    return found;
}

double Figure::median_s() const { return median_of(good(), wall); }

std::string json_line(const SizeReport& report) {
    Json figures = Json::object();
    for (const Figure& figure : report.figures) figures[figure.name] = figure_json(figure);
    const Json pool = Json::parse(report.pool, nullptr, false);
    return Json{{"runs", report.runs}, {"pool", pool}, {"figures", figures}}.dump() + "\n";
}

std::string table(const SizeReport& report) {
    std::string text = fmt::format("{} runs\n  {:<20}{:>6}{:>10}{:>10}{:>10}{:>10}{:>12}{:>14}\n", report.runs, "",
                                   "times", "median s", "max s", "own MiB", "all MiB", "sent KiB", "received KiB");
    for (const Figure& figure : report.figures) {
        const auto good = figure.good();
        text += fmt::format("  {:<20}{:>6}", figure.name, good.size());
        if (!good.empty()) {
            text +=
                fmt::format("{:>10.3f}{:>10.3f}{:>10.0f}{:>10.0f}{:>12.1f}{:>14.1f}", figure.median_s(),
                            largest_of(good, wall), largest_of(good, own_peak) / kMiB, largest_of(good, peak) / kMiB,
                            median_of(good, sent) / 1024, median_of(good, received) / 1024);
            for (const auto& [part, first] : good.front()->parts) text += fmt::format("  {} {:.3f}", part, first);
        }
        if (const std::string problem = last_problem(figure); !problem.empty()) text += "  " + problem;
        text += "\n";
    }
    return text;
}

std::string growth_json_line(const std::vector<SizeReport>& reports) {
    Json rows = Json::array();
    for (const Growth& row : growth_of(reports))
        rows.push_back({{"figure", row.figure},
                        {"from_runs", row.from},
                        {"to_runs", row.to},
                        {"ratio", to_4_digits(row.ratio)},
                        {"exponent", to_4_digits(row.exponent)}});
    return Json{{"growth", rows}}.dump() + "\n";
}

std::string growth_table(const std::vector<SizeReport>& reports) {
    std::string text = "growth of the median with the number of runs\n";
    for (const Growth& row : growth_of(reports))
        text += fmt::format("  {:<20}{:>8} -> {:<8} x {:<8.2f} runs ^ {:.2f}\n", row.figure, row.from, row.to,
                            row.ratio, row.exponent);
    return text;
}

}  // namespace cultivar
