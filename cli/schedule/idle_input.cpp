#include "cli/schedule/idle_input.h"

#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "pool/process/communicate.h"
#include "pool/util/file.h"
#include "pool/util/text.h"
#include "train/energy/system_file.h"

namespace cultivar {
namespace {

constexpr std::size_t kMostSession_bytes = 64 << 10;
constexpr double kPatience_s = 5;
constexpr std::int64_t kMicro = 1'000'000;

std::optional<std::int64_t> used_at(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 ? std::optional<std::int64_t>(status.st_atime) : std::nullopt;
}

bool is_number(std::string_view name) {
    return !name.empty() && name.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<std::int64_t> last_terminal_input(const std::string& dev) {
    std::optional<std::int64_t> last;
    for (const std::string& name : names_in(dev)) {
        if (name.starts_with("tty") && is_number(std::string_view(name).substr(3)))
            last = std::max(last, used_at(dev + "/" + name));
    }
    for (const std::string& name : names_in(dev + "/pts")) {
        if (is_number(name)) last = std::max(last, used_at(dev + "/pts/" + name));
    }
    return last;
}

std::map<std::string, std::string> pairs_in(const std::string& text) {
    std::map<std::string, std::string> pairs;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        const std::size_t sign = line.find('=');
        if (sign != std::string::npos) pairs[line.substr(0, sign)] = line.substr(sign + 1);
    }
    return pairs;
}

bool is_desktop(const std::string& path) {
    const auto text = read_file(path, kMostSession_bytes);
    if (!text) return false;
    auto session = pairs_in(*text);
    const std::string& type = session["TYPE"];
    return (type == "x11" || type == "wayland" || type == "mir") && session["CLASS"].starts_with("user") &&
           session["STATE"] != "closing";
}

std::optional<std::string> ask_loginctl(const std::string& session) {
    auto child =
        Child::start({"loginctl", "show-session", "--property=IdleHint", "--property=IdleSinceHint", session}, 0);
    if (!child) return std::nullopt;
    const auto output = communicate(*child, {kPatience_s, kPatience_s, kMostSession_bytes}, [] { return false; });
    return output && output->exit_code == 0 ? std::optional(output->out) : std::nullopt;
}

// None: logind does not tell.
std::optional<std::int64_t> used_at(const MachinePlaces& places, const std::string& session, std::int64_t now_unix_s) {
    const auto answer = places.idle_hint ? places.idle_hint(session) : ask_loginctl(session);
    if (!answer) return std::nullopt;
    auto hint = pairs_in(*answer);
    if (hint["IdleHint"] == "no") return now_unix_s;
    const std::string& since = hint["IdleSinceHint"];
    std::int64_t micros = 0;
    const auto [at, error] = std::from_chars(since.data(), since.data() + since.size(), micros);
    const bool good = hint["IdleHint"] == "yes" && error == std::errc() && at == since.data() + since.size();
    return good ? std::optional(micros / kMicro) : std::nullopt;
}

}  // namespace

Reading idle_input(const MachinePlaces& places, std::int64_t now_unix_s) {
    std::optional<std::int64_t> last = last_terminal_input(places.dev);
    for (const std::string& session : names_in(places.sessions)) {
        if (session.ends_with(".ref") || !is_desktop(places.sessions + "/" + session)) continue;
        const auto used = used_at(places, session, now_unix_s);
        if (!used)
            return {{}, "", fmt::format("logind does not tell it of the desktop session '{}'", clean(session, 40))};
        last = std::max(last, used);
    }
    if (last) return {static_cast<double>(std::max<std::int64_t>(0, now_unix_s - *last)), "", ""};
    const std::string since_start = read_system_file(places.proc + "/uptime").text;
    const auto uptime = nearest_double(since_start.substr(0, since_start.find(' ')));
    if (!uptime) return {{}, "", "there is no terminal"};
    return {uptime, "", ""};
}

}  // namespace cultivar
