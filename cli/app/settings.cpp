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

// "power.command" is POWER_COMMAND in the environment.
std::string variable_of(const std::string& key) {
    std::string word = upper(key);
    std::ranges::replace(word, '.', '_');
    return word;
}

std::string plain(const Value& value) {
    auto* word = std::get_if<std::string>(&value);
    return word ? *word : to_toml(value);
}

struct Written {
    std::string text, origin;
};

// The values of the user's file, by the index of their key.
Result<std::vector<Written>> read_user_file() {
    const std::vector<std::string>& keys = known_settings();
    std::vector<Written> values(keys.size());
    std::string path = user_file();
    auto text = read_file(path, 1 << 20);
    if (!text && text.error().code == Code::not_found) return values;
    if (!text) return fail(text.error());
    TRY_ASSIGN(std::vector<TomlEntry> entries, read_toml(*text, path));
    for (const TomlEntry& entry : entries) {
        std::string key = entry.dotted();
        const auto found = std::ranges::find(keys, key);
        if (found == keys.end() || entry.is_array) {
            auto near = nearest(key, keys);
            return fail(Code::usage, fmt::format("{}:{}:{}: unknown key '{}'{}", path, entry.line, entry.column, key,
                                                 near.empty() ? "" : fmt::format(", did you mean '{}'?", near[0])));
        }
        values[static_cast<std::size_t>(found - keys.begin())] = {plain(entry.values.front()), path};
    }
    return values;
}

constexpr unsigned kMostDevices = 255;

int usable_processors() {
    cpu_set_t set;
    CPU_ZERO(&set);
    return ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

template <class Number>
std::optional<Number> parse_number(const std::string& text) {
    Number number{};
    const char* end = text.data() + text.size();
    auto [at, ec] = std::from_chars(text.data(), end, number);
    return ec == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

Error bad_value(const std::string& key, const std::string& text, const std::string& origin, const char* why) {
    return {Code::usage, fmt::format("{} = '{}' ({}) {}", key, text, origin, why), ""};
}

}  // namespace

const std::vector<std::string>& known_settings() {
    static const std::vector<std::string> keys = {"name", "machine", "threads",       "device",     "watts",
                                                  "zone", "lm",      "power.command", "power.error"};
    return keys;
}

std::vector<std::string> unknown_settings(const std::vector<std::string>& config, const char* const* environment) {
    constexpr std::string_view kPrefix = "CULTIVAR_";
    std::vector<std::string> lines, keys = known_settings(), variables;
    for (const std::string& key : keys) variables.push_back(variable_of(key));
    variables.insert(variables.end(), {"LOG", "KEY", "REF", "URL"});  // but for LOG, of the workflow of init
    keys.insert(keys.end(), {"signingkey", "allowdelete"});           // of git's configuration alone
    const auto maybe = [](const std::vector<std::string>& near, const std::string& prefix) {
        return near.empty() ? "" : fmt::format(", did you mean '{}{}'?", prefix, near[0]);
    };
    for (const std::string& key : config) {
        std::string lower = key;
        std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
        if (std::ranges::find(keys, lower) == keys.end())
            lines.push_back(fmt::format("'cultivar.{}' in git's configuration is no setting and does nothing{}",
                                        clean(key), maybe(nearest(lower, keys), "cultivar.")));
    }
    for (const char* const* at = environment; at && *at; ++at) {
        const std::string_view variable(*at);
        const std::string name(variable.substr(0, variable.find('=')));
        if (!name.starts_with(kPrefix)) continue;
        const std::string word = name.substr(kPrefix.size());
        const std::vector<std::string> near = nearest(word, variables);
        if (std::ranges::find(variables, word) != variables.end()) continue;
        lines.push_back(fmt::format("'{}' in the environment is no setting and does nothing{}", clean(name),
                                    maybe(near, std::string(kPrefix))));
    }
    return lines;
}

Result<void> Settings::set(const std::string& key, const std::string& text, const std::string& origin) {
    if (key == "threads") {
        const auto number = parse_number<int>(text);
        if (!number || *number < 1 || *number > 1024)
            return fail(bad_value(key, text, origin, "is not a number from 1 to 1024"));
        threads = {*number, origin};
    } else if (key == "watts") {
        const auto number = parse_number<double>(text);
        if (!number || !(*number > 0) || *number > 1e6)
            return fail(bad_value(key, text, origin, "is not a number of watts"));
        watts = {*number, origin};
    } else if (key == "power.command") {
        power_command = {text, origin};
    } else if (key == "power.error") {
        const auto number = parse_number<double>(text);
        if (!number || !(*number > 0) || *number > 10)
            return fail(bad_value(key, text, origin, "is no relative error, such as 0.02"));
        power_error = {*number, origin};
    } else if (key == "device") {
        const std::size_t colon = std::min(text.find(':'), text.size());
        const std::string kind = text.substr(0, colon), number = text.substr(std::min(colon + 1, text.size()));
        const auto index = parse_number<unsigned>(number);
        const bool is_numbered = colon < text.size(), is_good = kind == "cuda" && index && *index <= kMostDevices;
        if (kind != "cpu" && kind != "cuda" && kind != "mps")
            return fail(bad_value(key, text, origin, "is none of cpu, cuda, mps"));
        if (is_numbered && !is_good) return fail(bad_value(key, text, origin, "is none of cuda:0, cuda:1, ..."));
        device = {kind, origin};
        device_number = number;
    } else {
        Setting<std::string>& word = key == "name" ? name : key == "machine" ? machine : key == "zone" ? zone : worker;
        word = {text, origin};
    }
    return {};
}

Result<Settings> Settings::load(const PoolValue& pool) {
    Settings settings;
    settings.threads.value = usable_processors();
    TRY_ASSIGN(std::vector<Written> values, read_user_file());
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::string& key = known_settings()[i];
        if (pool) {
            TRY_ASSIGN(std::optional<std::string> value, pool("cultivar." + key));
            if (value) values[i] = {*value, "pool"};
        }
        std::string value = environment("CULTIVAR_" + variable_of(key));
        if (!value.empty()) values[i] = {value, "environment"};
        if (!values[i].text.empty()) TRY(settings.set(key, values[i].text, values[i].origin));
    }
    return settings;
}

Result<std::string> find_worker(const Settings& settings) {
    const auto& [path_set, origin] = settings.worker;
    if (!path_set.empty()) {
        if (::access(path_set.c_str(), X_OK) == 0) return path_set;
        return fail(Code::not_found, fmt::format("cannot run the worker '{}' ({})", path_set, origin));
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
