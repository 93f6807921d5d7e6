#include "pool/process/unless_finished.h"

#include <filesystem>

namespace cultivar {
namespace {

namespace fs = std::filesystem;

struct Target {
    fs::path path;
    bool itself = true;  // else its content alone
};

// The first folder on the way that is absent.
Target target_of(const std::string& folder) {
    std::error_code ec;
    fs::path at = fs::absolute(folder, ec).lexically_normal();
    if (!at.has_filename()) at = at.parent_path();
    if (fs::exists(at, ec)) return {at, false};
    while (at.has_parent_path() && at.parent_path() != at && !fs::exists(at.parent_path(), ec)) at = at.parent_path();
    return {at, true};
}

void remove(const Target& target) {
    std::error_code ec;
    if (target.itself) {
        fs::remove_all(target.path, ec);
        return;
    }
    for (fs::directory_iterator at(target.path, ec), end; !ec && at != end; at.increment(ec)) {
        std::error_code failed;
        fs::remove_all(at->path(), failed);
    }
}

}  // namespace

Result<UnlessFinished> UnlessFinished::watch(const std::string& folder) {
    TRY_ASSIGN(Keeper keeper, Keeper::start([target = target_of(folder)] { remove(target); }));
    return UnlessFinished(std::move(keeper));
}

}  // namespace cultivar
