#include "cli/session/sandboxed_reader.h"

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "cli/app/json.h"
#include "pool/process/child_process.h"
#include "pool/process/communicate.h"
#include "pool/util/log.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxWords = 4000;
constexpr std::size_t kMaxRefusalWords = 500;
const ChildLimits kLimits = {std::int64_t{4} << 30, std::int64_t{16} << 30, 3600};

CommunicateLimits patience() {
    CommunicateLimits limits;
    limits.silence_s = limits.total_s = 3600;
    return limits;
}

void add_all(std::vector<std::string>& paths, const char* list) {
    std::istringstream folders(list ? list : "");
    for (std::string folder; std::getline(folders, folder, ':');) {
        if (!folder.empty()) paths.push_back(folder);
    }
}

// The repository, and where else it keeps objects: those that git names to a hook are not accepted yet.
SandboxRules rules_for(const Repo& repo) {
    SandboxRules rules;
    rules.read = {repo.git_dir()};
    const std::string objects = repo.git_dir() + "objects/";
    std::ifstream file(objects + "info/alternates");
    for (std::string line; std::getline(file, line);) {
        if (!line.empty()) rules.read.push_back(line.front() == '/' ? line : objects + line);
    }
    add_all(rules.read, std::getenv("GIT_OBJECT_DIRECTORY"));
    add_all(rules.read, std::getenv("GIT_ALTERNATE_OBJECT_DIRECTORIES"));
    return rules;
}

SandboxRules rules_for(const Clone& clone) {
    const std::string git = clone.repo.git_dir();
    SandboxRules rules = rules_for(clone.repo);
    rules.read.insert(rules.read.end(), {clone.cached_dir(), clone.index_dir()});
    std::error_code ec;
    std::filesystem::create_directories(clone.seen_dir(), ec);
    for (const char* tail : {"", "-wal", "-shm"}) rules.write.push_back(clone.index_dir() + "index.sqlite" + tail);
    rules.write.push_back(clone.seen_dir());
    if (clone.not_ours) return rules;  // a look changes nothing of it
    for (const char* refs : {"refs/remotes", "refs/artifacts", "logs/refs/remotes"}) rules.write.push_back(git + refs);
    for (const char* refs : {"refs/remotes", "refs/artifacts"}) std::filesystem::create_directories(git + refs, ec);
    return rules;
}

Result<RefreshReport> read_report(const std::string& text) {
    try {
        const Json json = Json::parse(text);
        if (json.contains("error")) {
            const Json& error = json.at("error");
            return fail(static_cast<Code>(error.at("code").get<int>()), error.at("message").get<std::string>(),
                        error.at("hint").get<std::string>(), static_cast<Reason>(error.value("reason", 0)));
        }
        RefreshReport report;
        for (const auto& [name, count] : kReportCounts) report.*count = json.at(name).get<int>();
        for (const Json& row : json.at("refusals"))
            report.refused.push_back({row.at("where").get<std::string>(), row.at("reason").get<std::string>()});
        return report;
    } catch (const Json::exception&) {
        return fail(Code::io, "what reads the pool ended without a word", "cultivar fsck");
    }
}

Result<RefreshReport> read_apart(const std::function<bool()>& interrupted, const Clone& clone) {
    TRY_ASSIGN(Sandbox sandbox, Sandbox::for_program(rules_for(clone), "/proc/self/exe"));  // even if replaced since
    std::vector<std::string> words = {"cultivar", "-q",    "-C",      clone.repo.git_dir(),
                                      "--json",   "index", "refresh", "--cache=" + clone.cached_dir()};
    if (!clone.own_index_dir.empty()) words.push_back("--index=" + clone.own_index_dir);
    const std::string key = clone.key.public_text();
    if (!key.empty()) words.push_back("--public-key=" + key);
    TRY_ASSIGN(Child child, Child::start(words, 0, kLimits, &sandbox));
    TRY_ASSIGN(ProcessOutput heard, communicate(child, patience(), interrupted, "what reads the pool"));
    if (heard.signal != 0)
        return fail(Code::io, fmt::format("what reads the pool was ended by signal {}", heard.signal), "cultivar fsck");
    return read_report(heard.out);
}

void log_refresh(const RefreshReport& report, std::chrono::steady_clock::time_point started) {
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    std::string counts;
    for (const auto& [name, count] : kReportCounts) counts += fmt::format("{} {}, ", report.*count, name);
    log_debug("index refresh: {}{} refused, {:.3f} s", counts, report.refused.size(), took.count());
}

Result<void> enter(const SandboxRules& rules) {
    KernelParts parts = kernel_parts();
    parts.reports = false;  // nobody would read them
    TRY_ASSIGN(Sandbox sandbox, Sandbox::prepare(rules, parts));
    int listener = -1;
    const int reason = sandbox.enter(listener);
    if (reason != 0) return fail(Code::io, fmt::format("cannot enter a sandbox: {}", std::strerror(reason)));
    return {};
}

}  // namespace

Reader reader_apart(std::function<bool()> interrupted, const Clone& clone) {
    return [interrupted = std::move(interrupted), &clone] {
        const auto started = std::chrono::steady_clock::now();
        Result<RefreshReport> report = read_apart(interrupted, clone);
        if (report && log_enabled(LogLevel::debug)) log_refresh(*report, started);
        return report;
    };
}

std::string report_json(const Result<RefreshReport>& report) {
    if (!report) {
        const Error& error = report.error();
        return pretty(Json{{"schema", 1},
                           {"error",
                            {{"code", static_cast<int>(error.code)},
                             {"reason", static_cast<int>(error.reason)},
                             {"message", clean(error.message, kMaxWords)},
                             {"hint", clean(error.hint, kMaxWords)}}}});
    }
    Json refused = Json::array();
    for (const Refusal& refusal : report->refused)
        refused.push_back(
            {{"where", clean(refusal.where, kMaxRefusalWords)}, {"reason", clean(refusal.reason, kMaxRefusalWords)}});
    Json json = {{"schema", 1}};
    for (const auto& [name, count] : kReportCounts) json[name] = (*report).*count;
    json["refused"] = report->refused.size() + static_cast<std::size_t>(report->more_refused);
    json["refusals"] = refused;
    return pretty(json);
}

Result<void> enter_reading_sandbox(const Repo& repo) { return enter(rules_for(repo)); }
Result<void> enter_reading_sandbox(const Clone& clone) { return enter(rules_for(clone)); }

}  // namespace cultivar
