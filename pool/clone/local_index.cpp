#include "pool/clone/local_index.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "pool/clone/own_index.h"
#include "pool/util/file.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value && *value == '/' ? value : "";
}

std::vector<std::string> places() {
    std::vector<std::string> all;
    const std::string cache = variable("XDG_CACHE_HOME"), home = variable("HOME"), temporary = variable("TMPDIR");
    if (!cache.empty()) all.push_back(cache + "/cultivar");
    if (cache.empty() && !home.empty()) all.push_back(home + "/.cache/cultivar");
    all.push_back(fmt::format("{}/cultivar-{}", temporary.empty() ? "/tmp" : temporary, ::geteuid()));
    return all;
}

}  // namespace

std::optional<LocalIndex> local_index(const std::string& git_dir, const FileSystemKind& kind) {
    for (const std::string& place : places()) {
        if (!make_folder_of(place)) continue;
        ::mkdir(place.c_str(), S_IRWXU);
        if (!is_private_folder(place) || !kind(place).empty() || !has_posix_locks(place)) continue;
        const std::string folder = fmt::format("{}/{}/", place, sha256_hex(git_dir).substr(0, 16));
        const bool is_new = ::mkdir(folder.c_str(), S_IRWXU) == 0;
        if (is_private_folder(folder.substr(0, folder.size() - 1))) return LocalIndex{folder, is_new};
    }
    return std::nullopt;
}

}  // namespace cultivar
