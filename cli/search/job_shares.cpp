#include "cli/search/job_shares.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr std::int64_t kMostJobs = 256;

// "" where the settings' device serves.
std::vector<std::string> devices_of(const JobWishes& wishes) {
    if (!wishes.devices) return {""};
    std::vector<std::string> devices;
    std::istringstream list(*wishes.devices + ",");
    for (std::string one; std::getline(list, one, ',');) devices.push_back(one);
    return devices;
}

}  // namespace

Result<std::vector<Settings>> job_shares(const JobWishes& wishes, Settings settings) {
    const std::vector<std::string> devices = devices_of(wishes);
    const auto jobs = wishes.jobs.value_or(static_cast<std::int64_t>(devices.size()));
    if (jobs < 1 || jobs > kMostJobs)
        return fail(Code::usage, fmt::format("--jobs takes a number from 1 to {}", kMostJobs),
                    "cultivar explore --help");
    settings.jobs = static_cast<int>(jobs);
    settings.threads.value = std::max(1, settings.threads.value / settings.jobs);
    if (wishes.threads) TRY(settings.set("threads", *wishes.threads, "flag"));
    std::vector<Settings> shares(static_cast<std::size_t>(jobs), settings);
    for (std::size_t i = 0; i < shares.size(); ++i) {
        if (wishes.devices) TRY(shares[i].set("device", devices[i % devices.size()], "flag"));
        if (shares[i].device.value != shares[0].device.value)
            return fail(Code::usage, "--device names devices of two kinds, whose scores do not compare");
    }
    return shares;
}

}  // namespace cultivar
