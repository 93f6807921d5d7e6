#include "pool/lineage/file_merge.h"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

namespace cultivar {
namespace {

std::string digest_of(const SourceFiles& files, const std::string& path) {
    const auto file = files.find(path);
    return file == files.end() ? std::string() : file->second;
}

// The digest on which all bases agree.
std::optional<std::string> agreed(const std::vector<SourceFiles>& bases, const std::string& path) {
    const std::string first = bases.empty() ? std::string() : digest_of(bases[0], path);
    const bool all = std::ranges::all_of(bases, [&](const auto& files) { return digest_of(files, path) == first; });
    return all ? std::optional(first) : std::nullopt;
}

}  // namespace

Result<SourceFiles> merge_files(const SourceFiles& a, const SourceFiles& b, const std::vector<SourceFiles>& bases,
                                const FileMerger& merge) {
    std::set<std::string> paths;
    for (const SourceFiles* files : {&a, &b}) {
        for (const auto& [path, sha256] : *files) paths.insert(path);
    }
    SourceFiles merged;
    std::vector<std::string> conflicts;
    for (const std::string& path : paths) {
        const std::string of_a = digest_of(a, path), of_b = digest_of(b, path);
        const std::optional<std::string> base = agreed(bases, path);
        std::string taken = of_a == of_b || of_b == base ? of_a : of_a == base ? of_b : "";
        if (of_a != of_b && of_a != base && of_b != base) {
            // A file that one of them gave back to the task has nothing to merge with.
            if (base && !of_a.empty() && !of_b.empty()) {
                TRY_ASSIGN(taken, merge({path, *base, of_a, of_b}));
            }
            if (taken.empty()) conflicts.push_back(path);
        }
        if (!taken.empty()) merged[path] = taken;
    }
    if (conflicts.empty()) return merged;
    return fail(Code::unfit, fmt::format("their changes conflict in {}", fmt::join(conflicts, ", ")));
}

}  // namespace cultivar
