#include "cli/verify/hold_out_files.h"

#include <filesystem>
#include <set>

#include <fmt/format.h>

#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

namespace fs = std::filesystem;

Result<std::string> validation_name(const Clone& clone) {
    const auto& evaluator = clone.task.command->evaluator;
    if (!evaluator || !evaluator->takes_hold_out())
        return fail(Code::usage, "this pool's evaluator takes no hold-out: 'evaluate.run' does not name {hold_out}",
                    "man cultivar-pool");
    return fs::path(evaluator->validation).filename().string();
}

Result<void> copy_private(const std::string& from, const std::string& to) {
    std::error_code ec;
    if (!fs::exists(from, ec)) return fail(Code::not_found, fmt::format("'{}' is not there", clean(from)));
    if (!fs::is_regular_file(from, ec)) return fail(Code::usage, fmt::format("'{}' is no file", clean(from)));
    fs::copy_file(from, to, fs::copy_options::overwrite_existing, ec);
    if (!ec) fs::permissions(to, fs::perms::owner_read | fs::perms::owner_write, ec);
    return ec ? fail(Code::io, fmt::format("cannot copy '{}': {}", clean(from), ec.message())) : Result<void>();
}

}  // namespace

Result<HoldOutMade> copy_hold_out(const Clone& clone, const std::vector<std::string>& sources,
                                  const std::string& folder) {
    TRY_ASSIGN(const std::string name, validation_name(clone));
    if (sources.size() > kMostHoldOutSlices)
        return fail(Code::usage, fmt::format("a hold-out has {} files at most", kMostHoldOutSlices));
    std::set<std::string> known;
    for (const CommandFile& file : clone.task.command->files) known.insert(file.sha256);
    HoldOutMade made;
    for (const std::string& source : sources) {
        const std::string slice = fmt::format("slice_{:02}.{}", made.slices.size(), name);
        TRY(copy_private(source, folder + slice));
        TRY_ASSIGN(std::string sha256, sha256_file_hex(folder + slice));
        if (!known.insert(std::move(sha256)).second)
            return fail(Code::usage, fmt::format("'{}' is no hold-out: the pool has this file, or it is given twice",
                                                 clean(source)));
        made.slices.push_back({slice, {}});
    }
    return made;
}

}  // namespace cultivar
