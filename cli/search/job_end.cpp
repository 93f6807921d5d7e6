#include "cli/search/job_end.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <sstream>

#include "pool/process/child_process.h"
#include "pool/process/communicate.h"
#include "pool/util/local_time.h"

namespace cultivar {
namespace {

constexpr double kAnswerLimit_s = 10;
constexpr std::size_t kMaxAnswer_bytes = 4096;

std::string own_variable(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

std::string ask_squeue(const std::string& job) {
    auto child = Child::start({"squeue", "-h", "-j", job, "-o", "%A %e"}, 0);
    if (!child) return "";
    const CommunicateLimits limits{kAnswerLimit_s, kAnswerLimit_s, kMaxAnswer_bytes};
    const auto answer = communicate(
        *child, limits, [] { return false; }, "squeue");
    return answer && answer->exit_code == 0 ? answer->out : "";
}

std::optional<std::int64_t> number(const std::string& text) {
    std::int64_t value = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size() && value > 0;
    return whole ? std::optional(value) : std::nullopt;
}

}  // namespace

std::optional<JobEnd> slurm_job_end(std::int64_t now_unix_s, const std::function<std::string(const char*)>& variable,
                                    const std::function<std::string(const std::string&)>& squeue) {
    const auto get = [&](const char* name) { return variable ? variable(name) : own_variable(name); };
    const std::string job = get("SLURM_JOB_ID");
    if (!number(job)) return std::nullopt;
    if (const auto told = number(get("SLURM_JOB_END_TIME"))) return JobEnd{*told, job};
    std::istringstream answer(squeue ? squeue(job) : ask_squeue(job));
    for (std::string id, end; answer >> id >> end;) {
        if (id != job || end.find('T') == std::string::npos) continue;  // another task of the array; "N/A", "NONE"
        if (const auto moment = parse_moment(end, now_unix_s)) return JobEnd{*moment, job};
    }
    return std::nullopt;
}

}  // namespace cultivar
