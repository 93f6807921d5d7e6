#include "cli/commands/ready_tasks.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "pool/util/text.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFile = "task.toml";

fs::path tasks_folder() {
    std::error_code ec;
    return fs::read_symlink("/proc/self/exe", ec).parent_path() / "../share/cultivar/tasks";
}

std::vector<std::string> ready_tasks() {
    std::vector<std::string> names;
    std::error_code ec;
    for (fs::directory_iterator at(tasks_folder(), ec), end; !ec && at != end; at.increment(ec)) {
        std::error_code none;
        if (fs::exists(at->path() / kFile, none)) names.push_back(at->path().filename().string());
    }
    std::ranges::sort(names);
    return names;
}

}  // namespace

Result<std::string> task_file_of(const std::string& named) {
    std::error_code ec;
    if (fs::exists(named, ec) || ec)
        return named;  // one that cannot be looked for is no typing mistake: reading it says why
    const std::vector<std::string> names = ready_tasks();
    if (std::ranges::find(names, named) != names.end())
        return (tasks_folder() / named / kFile).lexically_normal().string();
    const auto near = nearest(named, names);
    return fail(Code::not_found,
                fmt::format("there is no file '{}', and no ready task of that name: {}", named, fmt::join(names, ", ")),
                near.empty() ? std::string() : "cultivar init DIR --task " + near[0]);
}

}  // namespace cultivar
