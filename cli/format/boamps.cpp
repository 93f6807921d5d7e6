#include "cli/format/boamps.h"

#include <filesystem>
#include <map>
#include <set>

#include <fmt/format.h>

#include "cli/format/compare_rows.h"
#include "pool/util/utc_time.h"

namespace cultivar {
namespace {

constexpr double kGoodError = 0.1, kFairError = 0.3;  // the format's own bounds of "high" and "medium"

struct BoampsMeasured {
    double joules = 0, idle_joules = 0, machine_s = 0;
    std::int64_t start_s = 0;
};

struct BoampsSums {
    std::map<std::string, BoampsMeasured> methods{};
    std::set<std::string> zones{}, machines{};
    double joules = 0, high_joules = 0;
};

BoampsSums spent_by(const Arm& arm, const Target& target) {
    BoampsSums spent;
    for (const Repeat& repeat : arm.repeats) {
        const Cut cut = cut_at(repeat, target);
        for (std::size_t i = 0; i < repeat.runs.size(); ++i) {
            for (const SpentUse& use : repeat.runs[i].uses) {
                if (cut.weights[i] <= 0 || use.purpose == Purpose::network) continue;
                const Range& gross = use.stretch.joules[kGross];
                BoampsMeasured& one = spent.methods[use.method];
                one.joules += cut.weights[i] * gross.value;
                one.idle_joules += cut.weights[i] * (gross.value - use.stretch.joules[kAboveIdle].value);
                one.machine_s += cut.weights[i] * use.stretch.machine_s;
                if (one.start_s == 0 || use.stretch.start_s < one.start_s) one.start_s = use.stretch.start_s;
                spent.joules += gross.value, spent.high_joules += gross.high;
                if (!use.stretch.zone.empty())
                    spent.zones.insert(use.stretch.zone.substr(0, use.stretch.zone.find('-')));
                if (use.purpose == Purpose::search) spent.machines.insert(use.meter.substr(use.meter.find(" at ") + 1));
            }
        }
    }
    return spent;
}

std::string moment(std::int64_t unix_s) {
    const std::string utc = utc_text(unix_s);  // "2026-11-21T03:40:00Z"
    return utc.substr(0, 10) + " " + utc.substr(11, 8);
}

Json measures_of(const BoampsSums& spent, const std::string& version) {
    Json measures = Json::array();
    for (const auto& [method, one] : spent.methods) {
        if (one.joules <= 0) continue;
        Json measure = {{"measurementMethod", "cultivar: " + method},
                        {"version", version},
                        {"powerConsumption", one.joules / kJoulesPerKwh},
                        {"measurementDuration", one.machine_s},
                        {"measurementDateTime", moment(one.start_s)}};
        if (method == "rapl") measure["cpuTrackingMode"] = "rapl";
        if (method == "nvml") measure["gpuTrackingMode"] = "nvml";
        if (one.idle_joules > 0) measure["powerCalibrationMeasurement"] = one.idle_joules / kJoulesPerKwh;
        measures.push_back(std::move(measure));
    }
    return measures;
}

const char* quality_of(const BoampsSums& spent) {
    const double error = spent.joules > 0 ? spent.high_joules / spent.joules - 1 : 1;
    return error <= kGoodError ? "high" : error <= kFairError ? "medium" : "low";
}

}  // namespace

Json boamps_json(const CompareReport& report, std::size_t arm, const BoampsTask& task, std::int64_t now_s) {
    const BoampsSums spent = spent_by(report.arms[arm], report.comparison.target);
    const std::string about = fmt::format("search {}, {}, {} repeats; failed runs and verification included",
                                          target_text(report), report.arms[arm].name, report.arms[arm].repeats.size());
    Json json = {
        {"header",
         {{"formatVersionSpecificationUri", "https://github.com/Boavizta/BoAmps/tree/main/model"},
          {"reportDatetime", moment(now_s)},
          {"reportStatus", "draft"},
          {"publisher", {{"confidentialityLevel", "internal"}}}}},
        {"task",
         {{"taskStage", "training"},
          {"taskFamily", task.family},
          {"algorithms", Json::array({{{"algorithmName", task.algorithm}, {"framework", "cultivar"}}})},
          {"dataset", Json::array({{{"dataUsage", "input"}, {"dataType", task.data_type}}})},
          {"taskDescription", about}}},
        {"measures", measures_of(spent, task.version)},
        {"system", {{"os", "linux"}}},
        {"software", {{"language", "c++"}}},
        {"infrastructure",
         {{"infraType", "other"},
          {"components", Json::array({{{"componentType", "machine"}, {"nbComponent", spent.machines.size()}}})}}},
        {"quality", quality_of(spent)}};
    if (spent.zones.size() == 1) json["environment"] = {{"country", *spent.zones.begin()}};
    return json;
}

std::string boamps_file(const std::string& path, std::size_t arm) {
    std::filesystem::path file(path);
    const std::string extension = file.extension().string();
    file.replace_extension();
    return fmt::format("{}-{}{}", file.string(), arm + 1, extension);
}

}  // namespace cultivar
