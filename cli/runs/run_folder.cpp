#include "cli/runs/run_folder.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

namespace cultivar {
namespace {

constexpr std::size_t kMaxPlan_bytes = 1 << 20;
constexpr int kMostFolders = 4096;
constexpr std::string_view kPrefix = "run-";

std::string name_of(int number) { return number == 1 ? "run" : fmt::format("{}{}", kPrefix, number); }

// 0: this is no such folder.
int number_of(std::string_view name) {
    int number = name == "run" ? 1 : 0;
    if (!name.starts_with(kPrefix)) return number;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), number);
    return number > 1 && number <= kMostFolders && name == name_of(number) ? number : 0;
}

// Of the folders that are there, in their order.
Result<std::vector<int>> numbers(const Session& session) {
    std::vector<int> found;
    std::error_code ec;
    for (std::filesystem::directory_iterator at(session.clone->state_dir, ec), end; !ec && at != end;
         at.increment(ec)) {
        if (const int number = number_of(at->path().filename().string()); number > 0) found.push_back(number);
    }
    if (ec) return fail(Code::io, fmt::format("cannot read '{}': {}", session.clone->state_dir, ec.message()));
    std::ranges::sort(found);
    return found;
}

std::string folder_of(const Session& session, int number) { return session.clone->state_dir + name_of(number) + "/"; }

}  // namespace

Result<RunFolder> RunFolder::take(const Session& session, const std::string& category) {
    TRY_ASSIGN(const std::vector<int> there, numbers(session));
    const auto may_take = [&](const std::optional<PlannedRun>& left) { return left && left->category == category; };
    for (const int number : there) {
        TRY_ASSIGN(auto folder, take_if(session, number, may_take));
        if (folder) return std::move(*folder);
    }
    return take_free(session);
}

Result<RunFolder> RunFolder::take_free(const Session& session) {
    const auto is_free = [](const std::optional<PlannedRun>& left) { return !left; };
    for (int number = 1; number <= kMostFolders; ++number) {
        TRY_ASSIGN(auto folder, take_if(session, number, is_free));
        if (folder) return std::move(*folder);
    }
    return fail(Code::io, fmt::format("over {} runs are under way in this clone", kMostFolders));
}

// None: somebody is at it, or its run is not as wished.
Result<std::optional<RunFolder>> RunFolder::take_if(const Session& session, int number, const Wish& wish) {
    using Taken = std::optional<RunFolder>;
    const std::string folder = folder_of(session, number);
    TRY_ASSIGN(const auto seen, unfinished_run(session, folder));
    if (!wish(seen)) return Taken();
    auto lock =
        FileLock::acquire(session.clone->state_dir + name_of(number) + ".lock", fmt::format("pid {}", ::getpid()), 0);
    if (!lock) return lock.error().code == Code::busy ? Result<Taken>(Taken()) : fail(lock.error());
    TRY_ASSIGN(const auto left, unfinished_run(session, folder));  // it may have ended meanwhile
    if (!wish(left)) return Taken();
    return Taken(RunFolder(folder, std::move(*lock)));
}

Result<std::optional<PlannedRun>> unfinished_run(const Session& session, const std::string& folder) {
    using Found = std::optional<PlannedRun>;
    auto text = read_file(folder + "plan.json", kMaxPlan_bytes);
    if (!text) return text.error().code == Code::not_found ? Result<Found>(Found()) : fail(text.error());
    return parse_planned_run(session, *text);  // none: begin_run() replaces it
}

Result<std::vector<PlannedRun>> unfinished_runs(const Session& session) {
    std::vector<PlannedRun> runs;
    TRY_ASSIGN(const std::vector<int> there, numbers(session));
    for (const int number : there) {
        TRY_ASSIGN(auto unfinished, unfinished_run(session, folder_of(session, number)));
        if (unfinished) runs.push_back(std::move(*unfinished));
    }
    return runs;
}

}  // namespace cultivar
