#include "benchmarks/pool/pool_stages.h"

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "benchmarks/synthetic/options.h"

namespace cultivar {
namespace {

constexpr int kFew = 3, kSome = 5, kMany = 9;
constexpr double kSetUpLimit_s = 3600;
constexpr const char* kRefs = "+refs/heads/*:refs/remotes/origin/*";

// Returns the first line of a failure's message; hints follow it.
std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string problem_of(const Measured& measured, double limit_s) {
    if (measured.timed_out) return fmt::format("did not end within {:g} s", limit_s);
    if (measured.exit_code != 0) return fmt::format("exit {}: {}", measured.exit_code, first_line(measured.error));
    const std::size_t refused = measured.error.find("refused");  // a figure for part of the pool does not count
    return refused == std::string::npos ? std::string() : first_line(measured.error.substr(refused));
}

std::map<std::string, double> parts_of(const std::string& output) {
    std::map<std::string, double> parts;
    const auto json = nlohmann::json::parse(output, nullptr, false);
    if (!json.is_object()) return parts;
    for (const auto& [name, value] : json.items()) {
        if ((name.ends_with("_s") || name.ends_with("_ms")) && value.is_number()) parts[name] = value.get<double>();
    }
    return parts;
}

std::string python() {
    const char* named = std::getenv("PYTHON");
    return named ? named : "/usr/bin/python3";
}

}  // namespace

TimedSample PoolStages::sample(const Words& words) {
    TimedSample sample;
    const Relay::Traffic before = hosting_->traffic();
    auto measured = measure(words, options_.limit_s);
    if (!measured) {
        sample.problem = measured.error().message;
        return sample;
    }
    const Relay::Traffic after = hosting_->traffic();
    sample.traffic = {after.sent_bytes - before.sent_bytes, after.received_bytes - before.received_bytes};
    sample.problem = problem_of(*measured, options_.limit_s);
    sample.parts = parts_of(measured->output);
    sample.measured = std::move(*measured);
    sample.measured.output.clear();
    return sample;
}

void PoolStages::repeat(const std::string& name, int times, const std::function<Words(int)>& command,
                        const std::function<Result<void>(int)>& prepare) {
    Figure& figure = report_.figures.emplace_back();
    figure.name = name;
    for (int i = 0; i < times; ++i) {
        auto ready = prepare ? prepare(i) : Result<void>();
        figure.samples.push_back(ready ? sample(command(i)) : TimedSample{{}, {}, ready.error().message, {}});
        if (!ready || figure.samples.back().measured.timed_out) return;
    }
}

PoolStages::Words PoolStages::cultivar(Words words) const {
    words.insert(words.begin(), {options_.cultivar, "-C", clone_});
    return words;
}

PoolStages::Words PoolStages::git_fetch() const {
    return {"git", "-C", plain_, "fetch", "-q", hosting_->url("hub.git"), kRefs};
}

PoolStages::Words PoolStages::own_step(Words words) const {
    words.insert(words.begin(), {"/proc/self/exe", "--step"});
    const Words shape = shape_words(shape_);
    words.insert(words.end(), shape.begin(), shape.end());
    return words;
}

Result<void> PoolStages::forget_index() const {
    std::error_code ec;
    std::filesystem::remove_all(clone_ + "/.git/cultivar/index", ec);
    return ec ? fail(Code::io, fmt::format("cannot delete the index: {}", ec.message())) : Result<void>();
}

Result<void> PoolStages::make_pool() {
    TRY_ASSIGN(const Measured made, measure(own_step({"generate", hub_}), kSetUpLimit_s));
    if (made.exit_code != 0) return fail(Code::io, problem_of(made, kSetUpLimit_s));
    report_.pool = made.output;
    TRY(run_quietly({"git", "init", "-q", "--bare", plain_}));
    TRY_ASSIGN(hosting_, Hosting::start(options_.folder));
    return {};
}

void PoolStages::first_meeting() {
    repeat("git_first_fetch", 1, [&](int) { return git_fetch(); });
    repeat("first_pull", 1, [&](int) { return Words{options_.cultivar, "clone", hosting_->url("hub.git"), clone_}; });
}

void PoolStages::later_meetings() {
    repeat("git_nothing_new", kSome, [&](int) { return git_fetch(); });
    repeat("nothing_new", kSome, [&](int) { return cultivar({"pull"}); });
    const auto push = [&](int round) { return run_quietly(own_step({"push", hub_, std::to_string(round)})); };
    Figure by_git{"git_ten_new", {}};
    repeat(
        "ten_new", kFew, [&](int) { return cultivar({"pull"}); },
        [&](int round) -> Result<void> {
            TRY(push(round));
            by_git.samples.push_back(sample(git_fetch()));
            return {};
        });
    report_.figures.push_back(std::move(by_git));
}

void PoolStages::look() {
    repeat("top", kMany, [&](int) { return cultivar({"top"}); });
    repeat("status", kMany, [&](int) { return cultivar({"status"}); });
    repeat(
        "rebuild", kFew, [&](int) { return cultivar({"status"}); }, [&](int) { return forget_index(); });
}

void PoolStages::work() {
    repeat(
        "propose", kFew, [&](int) { return cultivar({"propose"}); },
        [&](int round) {
            return run_quietly(own_step({"spool", clone_, std::to_string(round)}));
        });
    repeat(
        "choose_next", kFew,
        [&](int) {
            return own_step({"choose-next", clone_});
        },
        [&](int) { return run_quietly(cultivar({"status"})); });  // only cultivar reads the pushed changes
}

// Crosses pairs among the newest candidates.
Result<void> PoolStages::cross() {
    TRY_ASSIGN(const Measured listed,
               measure({"git", "-C", hub_, "for-each-ref", "--sort=-committerdate",
                        fmt::format("--count={}", 2 * kSome), "--format=%(refname:lstrip=3)", "refs/heads/candidates/"},
                       kSetUpLimit_s));
    Words ids;
    std::istringstream lines(listed.output);
    for (std::string line; std::getline(lines, line);) ids.push_back(line.substr(0, 32));
    repeat("cross", static_cast<int>(ids.size() / 2), [&](int pair) {
        const auto first = static_cast<std::size_t>(2 * pair);
        return cultivar({"cross", ids[first], ids[first + 1]});
    });
    repeat("merges", 1, [&](int) { return own_step({"merges", clone_}); });
    return {};
}

void PoolStages::optuna() {
    const std::string file = options_.folder + "/optuna.log";
    repeat(
        "optuna_load", kFew,
        [&](int) {
            return Words{python(), CULTIVAR_OPTUNA, "load", file};
        },
        [&](int time) {
            if (time > 0) return Result<void>();
            return run_quietly({python(), CULTIVAR_OPTUNA, "write", file, std::to_string(shape_.runs)});
        });
}

Result<SizeReport> PoolStages::run() {
    report_ = {};
    report_.runs = shape_.runs;
    hub_ = options_.folder + "/hub.git";
    clone_ = options_.folder + "/clone";
    plain_ = options_.folder + "/plain.git";
    TRY(make_pool());
    first_meeting();
    if (went_well()) {
        later_meetings();
        look();
        work();
        TRY(cross());
    }
    if (options_.peer) optuna();
    hosting_.reset();
    return std::move(report_);
}

}  // namespace cultivar
