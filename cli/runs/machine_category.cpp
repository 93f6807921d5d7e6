#include "cli/runs/machine_category.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pool/types/category.h"

namespace cultivar {
namespace {

constexpr double kBenchLimit_s = 120;

std::string speed_path(const Session& session) { return session.clone->state_dir + "speed.json"; }

// The measurements so far, by device and threads. An older clone holds a single one in place of a list.
Result<nlohmann::ordered_json> read_speeds(const Session& session) {
    auto text = read_file(speed_path(session), 1 << 16);
    if (!text && text.error().code != Code::not_found) return fail(text.error());
    auto json = nlohmann::ordered_json::parse(text ? *text : "[]", nullptr, false);
    if (json.is_object()) json = nlohmann::ordered_json::array({json});
    if (!json.is_array()) json = nlohmann::ordered_json::array();
    auto& speeds = json.get_ref<nlohmann::ordered_json::array_t&>();
    for (auto& one : speeds) {
        if (one.is_object() && !one.contains("device")) one["device"] = "cpu";  // older still: there was no other
    }
    std::erase_if(speeds, [](const auto& one) {
        return !one.is_object() || !one["device"].is_string() || !one.contains("threads") ||
               !one["threads"].is_number_integer() || !one.contains("flops_per_s") || !one["flops_per_s"].is_number() ||
               one["flops_per_s"] <= 0.0;
    });
    return json;
}

Result<std::optional<double>> read_speed(const Session& session, const std::string& device, int threads) {
    TRY_ASSIGN(const nlohmann::ordered_json speeds, read_speeds(session));
    for (const auto& one : speeds) {
        if (one["threads"] == threads && one["device"] == device)
            return std::optional(one["flops_per_s"].get<double>());
    }
    return std::optional<double>();
}

std::string unmeasured_category(const std::string& device, double budget_s) {
    return fmt::format("{}-{}s", device, budget_s);
}

std::string with_threads(const std::string& category, int threads) { return fmt::format("{}-t{}", category, threads); }

// Of a job among several the category tells its threads.
std::string of_share(const Settings& settings, const std::string& category) {
    return settings.jobs > 1 ? with_threads(category, settings.threads.value) : category;
}

// The threads that a category tells, if this machine may use so many, else those of the settings.
int threads_for(const Session& session, const std::string& category) {
    const int here = session.settings.threads.value;
    return std::min(category_named(category).threads.value_or(here), here);
}

Result<double> machine_flops_per_s(Worker& worker, Observer& observer, const Session& session,
                                   const std::string& device, int threads) {
    TRY_ASSIGN(const std::optional<double> known, read_speed(session, device, threads));
    if (known) return *known;
    observer.note("measuring this machine once, for its category");
    Specification specification;
    specification.mode = Specification::Mode::bench;
    specification.threads = threads;
    specification.device = device;
    const std::string folder = session.clone->state_dir + "bench/";
    std::error_code ec;
    std::filesystem::create_directories(folder, ec);
    if (ec) return fail(Code::io, fmt::format("cannot create '{}': {}", folder, ec.message()));
    auto go_on = [](const Event&) { return Advice::go_on; };
    TRY_ASSIGN(Outcome outcome, worker.run({specification, folder, kBenchLimit_s, kBenchLimit_s}, go_on,
                                           [&] { return observer.interrupted(); }));
    if (observer.interrupted()) return fail(Code::interrupted, "interrupted while measuring the machine");
    if (!outcome.done || outcome.done->flops_per_s <= 0)
        return fail(Code::io, fmt::format("the worker cannot measure this machine: {}", outcome.message),
                    "cultivar version");
    std::filesystem::remove_all(folder, ec);
    double flops_per_s = outcome.done->flops_per_s;
    TRY_ASSIGN(nlohmann::ordered_json speeds, read_speeds(session));
    speeds.push_back({{"device", device}, {"threads", threads}, {"flops_per_s", flops_per_s}});
    TRY(write_file_atomically(speed_path(session), speeds.dump() + "\n"));
    observer.note(fmt::format("{:.1f} GFLOP/s of training on {}, {} thread{}", flops_per_s / 1e9, device, threads,
                              threads == 1 ? "" : "s"));
    return flops_per_s;
}

}  // namespace

std::string category_name(const std::string& device, double budget_s, double flops_per_s) {
    double half_decades = std::floor(2 * std::log10(flops_per_s));
    return fmt::format("{}-{}s-e{}", device, budget_s, half_decades / 2);
}

Result<std::string> machine_category(Worker& worker, Observer& observer, const Session& session, double budget_s) {
    const std::string& device = session.settings.device.value;
    if (session.clone->task.command) return of_share(session.settings, unmeasured_category(device, budget_s));
    TRY(worker.require_device(device));  // before a figure that is kept is measured, or one of another day is believed
    const int threads = session.settings.threads.value;
    TRY_ASSIGN(double flops_per_s, machine_flops_per_s(worker, observer, session, device, threads));
    return of_share(session.settings, category_name(device, budget_s, flops_per_s));
}

Error unknown_category(const Session& session, const std::string& command) {
    const std::string& device = session.settings.device.value;
    const int threads = session.settings.threads.value;
    std::string hint = "cultivar explore --runs 1";
    const auto speeds = read_speeds(session);
    if (!speeds) return speeds.error();
    for (const auto& one : *speeds) {
        if (one["device"] == device) hint = fmt::format("CULTIVAR_THREADS={} {}", one["threads"].get<int>(), command);
    }
    return {Code::not_found,
            fmt::format("this machine's category with {} thread{} on {} is not known before its first run", threads,
                        threads == 1 ? "" : "s", device),
            std::move(hint)};
}

std::optional<double> known_speed(const Session& session, const std::string& category) {
    return read_speed(session, session.settings.device.value, threads_for(session, category)).value_or(std::nullopt);
}

Result<std::string> category_so_far(const Session& session, double budget_s) {
    const std::string& device = session.settings.device.value;
    if (session.clone->task.command) return unmeasured_category(device, budget_s);
    TRY_ASSIGN(const std::optional<double> speed, read_speed(session, device, session.settings.threads.value));
    return speed ? category_name(device, budget_s, *speed) : std::string();
}

bool is_category_here(const Session& session, const std::string& category, double budget_s) {
    const std::string& device = session.settings.device.value;
    const std::optional<int> told = category_named(category).threads;
    const int threads = threads_for(session, category);
    if (told && *told != threads) return false;  // this machine has fewer
    std::string own = unmeasured_category(device, budget_s);
    if (!session.clone->task.command) {
        const auto speed = read_speed(session, device, threads).value_or(std::nullopt);
        if (!speed) return false;
        own = category_name(device, budget_s, *speed);
    }
    return (told ? with_threads(own, threads) : own) == category;
}

void take_threads_of(const Session& session, const std::string& category, Specification& specification) {
    specification.threads = threads_for(session, category);
}

}  // namespace cultivar
