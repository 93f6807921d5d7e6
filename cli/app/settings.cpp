#include "cli/app/settings.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "pool/util/file.h"
#include "pool/util/text.h"
#include "pool/util/toml_reader.h"

namespace cultivar {
namespace {

std::string environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value ? value : "";
}

std::string user_file() {
    std::string base = environment("XDG_CONFIG_HOME");
    if (base.empty()) base = environment("HOME") + "/.config";
    return base + "/cultivar/config.toml";
}

std::string upper(std::string word) {
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::toupper(c); });
    return word;
}

std::string plain(const Value& value) {
    auto* word = std::get_if<std::string>(&value);
    return word ? *word : to_toml(value);
}

Result<void> read_user_file(std::map<std::string, Setting>& values) {
    std::string path = user_file();
    auto text = read_file(path, 1 << 20);
    if (!text) return text.error().code == Code::not_found ? Result<void>() : fail(text.error());
    TRY_ASSIGN(std::vector<TomlEntry> entries, read_toml(*text, path));
    std::vector<std::string> names;
    for (const auto& [key, help] : Config::known()) names.push_back(key);
    for (const TomlEntry& entry : entries) {
        std::string key = entry.dotted();
        if (!Config::known().count(key) || entry.is_array) {
            auto near = nearest(key, names);
            return fail(Code::usage, fmt::format("{}:{}:{}: unknown key '{}'{}", path, entry.line, entry.column, key,
                                                 near.empty() ? "" : fmt::format(", did you mean '{}'?", near[0])));
        }
        values[key] = {plain(entry.values.front()), path};
    }
    return {};
}

int usable_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

}  // namespace

const std::map<std::string, std::string>& Config::known() {
    static const std::map<std::string, std::string> keys = {
        {"name", "your name in journals"},
        {"machine", "this machine's name in journals"},
        {"threads", "threads that training may use"},
        {"device", "device that training uses: cpu, cuda or mps"},
        {"watts", "watts this machine draws while training, where they cannot be measured"},
        {"zone", "electricity grid zone, for the record"},
        {"lm", "path of the language-model worker"},
    };
    return keys;
}

Result<Config> Config::load(const Repo* repo) {
    Config config;
    TRY(read_user_file(config.values_));
    for (const auto& [key, help] : known()) {
        if (repo) {
            TRY_ASSIGN(std::optional<std::string> value, repo->config("cultivar." + key));
            if (value) config.values_[key] = {*value, "pool"};
        }
        std::string value = environment("CULTIVAR_" + upper(key));
        if (!value.empty()) config.values_[key] = {value, "environment"};
    }
    return config;
}

void Config::override_by_flag(const std::string& key, const std::string& value) { values_[key] = {value, "flag"}; }

Setting Config::get(const std::string& key) const {
    auto found = values_.find(key);
    return found == values_.end() ? Setting{"", "default"} : found->second;
}

Result<int> Config::threads() const {
    Setting setting = get("threads");
    if (setting.value.empty()) return usable_processors();
    int threads = 0;
    auto end = setting.value.data() + setting.value.size();
    auto [at, ec] = std::from_chars(setting.value.data(), end, threads);
    if (ec != std::errc() || at != end || threads < 1 || threads > 1024)
        return fail(Code::usage,
                    fmt::format("threads = '{}' ({}) is not a number from 1 to 1024", setting.value, setting.origin));
    return threads;
}

Result<std::string> Config::device() const {
    Setting setting = get("device");
    if (setting.value.empty()) return "cpu";
    for (const char* device : {"cpu", "cuda", "mps"}) {
        if (setting.value == device) return setting.value;
    }
    return fail(Code::usage,
                fmt::format("device = '{}' ({}) is none of cpu, cuda, mps", setting.value, setting.origin));
}

Result<double> Config::watts() const {
    Setting setting = get("watts");
    if (setting.value.empty()) return 0.0;
    double watts = 0;
    auto end = setting.value.data() + setting.value.size();
    auto [at, ec] = std::from_chars(setting.value.data(), end, watts);
    if (ec != std::errc() || at != end || !(watts > 0) || watts > 1e6)
        return fail(Code::usage,
                    fmt::format("watts = '{}' ({}) is not a number of watts", setting.value, setting.origin));
    return watts;
}

Result<std::string> Config::worker() const {
    Setting setting = get("lm");
    if (!setting.value.empty()) {
        if (::access(setting.value.c_str(), X_OK) == 0) return setting.value;
        return fail(Code::not_found, fmt::format("cannot run the worker '{}' ({})", setting.value, setting.origin));
    }
    std::error_code ec;
    auto here = std::filesystem::read_symlink("/proc/self/exe", ec).parent_path();
    for (const auto& path : {here / "cultivar-lm", here / "../libexec/cultivar/cultivar-lm"}) {
        if (::access(path.c_str(), X_OK) == 0) return path.lexically_normal().string();
    }
    return fail(Code::not_found, fmt::format("cannot find the worker 'cultivar-lm' near '{}'", here.string()),
                "cmake --build build/release --target cultivar-lm");
}

}  // namespace cultivar
