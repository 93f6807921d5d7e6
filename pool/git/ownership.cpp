#include "pool/git/ownership.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>

#include <fmt/format.h>
#include <strings.h>

#include "pool/git/libgit2_handle.h"

namespace cultivar {
namespace {

constexpr const char* kSafe = "safe.directory";
constexpr int kMostPairs = 1000;

std::string variable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value ? value : "";
}

std::optional<unsigned> number(const std::string& text) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// As git's own tests pretend it.
bool pretends_to_be_another() {
    const std::string word = variable("GIT_TEST_ASSUME_DIFFERENT_OWNER");
    return word == "1" || word == "true";
}

std::string at_users_home(const std::string& path) {
    return path == "~" || path.starts_with("~/") ? variable("HOME") + path.substr(1) : path;
}

// Git's files of settings that no repository holds, the weakest first.
std::vector<std::string> protected_files() {
    std::vector<std::string> files;
    const std::string without = variable("GIT_CONFIG_NOSYSTEM");
    if (without.empty() || without == "0" || without == "false") {
        const std::string named = variable("GIT_CONFIG_SYSTEM");
        files.push_back(named.empty() ? "/etc/gitconfig" : named);
    }
    if (const char* global = std::getenv("GIT_CONFIG_GLOBAL")) {
        files.emplace_back(global);
        return files;
    }
    const std::string home = variable("HOME"), xdg = variable("XDG_CONFIG_HOME");
    if (!xdg.empty() || !home.empty()) files.push_back((xdg.empty() ? home + "/.config" : xdg) + "/git/config");
    if (!home.empty()) files.push_back(home + "/.gitconfig");
    return files;
}

void add_values(const std::string& file, std::vector<std::string>& values) {
    Libgit2Handle<git_config, git_config_free> config;
    Libgit2Handle<git_config_iterator, git_config_iterator_free> iterator;
    if (file.empty() || git_config_open_ondisk(config.out(), file.c_str()) != 0 ||
        git_config_multivar_iterator_new(iterator.out(), config.get(), kSafe, nullptr) != 0)
        return;
    git_config_entry* entry = nullptr;
    while (git_config_next(&entry, iterator.get()) == 0) values.emplace_back(entry->value ? entry->value : "");
}

// `git -c` and its like hand settings on in pairs.
void add_values_of_environment(std::vector<std::string>& values) {
    const unsigned pairs = std::min<unsigned>(number(variable("GIT_CONFIG_COUNT")).value_or(0), kMostPairs);
    for (unsigned i = 0; i < pairs; ++i) {
        if (::strcasecmp(variable(fmt::format("GIT_CONFIG_KEY_{}", i)).c_str(), kSafe) == 0)
            values.push_back(variable(fmt::format("GIT_CONFIG_VALUE_{}", i)));
    }
}

std::string resolved(const std::string& path) {
    std::error_code ec;
    std::string real = std::filesystem::canonical(path, ec).string();
    if (ec) real = path;
    while (real.size() > 1 && real.back() == '/') real.pop_back();
    return real;
}

bool value_names(const std::string& value, const std::string& folder) {
    if (value == "*") return true;
    const std::string path = at_users_home(value);
    if (!path.starts_with('/')) return false;
    if (!path.ends_with("/*")) return resolved(path) == folder;
    const std::string above = resolved(path.substr(0, path.size() - 2));
    return folder.starts_with(above == "/" ? above : above + "/");
}

}  // namespace

bool is_own(const std::vector<std::string>& paths) {
    if (pretends_to_be_another()) return false;
    const uid_t here = ::geteuid();
    const std::optional<unsigned> caller = here == 0 ? number(variable("SUDO_UID")) : std::nullopt;
    return std::all_of(paths.begin(), paths.end(), [&](const std::string& path) {
        if (path.empty()) return true;
        struct stat facts {};
        if (::lstat(path.size() > 1 && path.back() == '/' ? path.substr(0, path.size() - 1).c_str() : path.c_str(),
                    &facts) != 0)
            return false;
        return facts.st_uid == here || (caller && facts.st_uid == *caller);
    });
}

bool is_named_safe(const std::string& folder) {
    std::vector<std::string> values;
    for (const std::string& file : protected_files()) add_values(file, values);
    add_values_of_environment(values);
    const std::string real = resolved(folder);
    bool safe = false;
    for (const std::string& value : values)
        safe = !value.empty() && (safe || value_names(value, real));  // "" begins anew
    return safe;
}

}  // namespace cultivar
