#include "pool/util/shared_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>

#include "pool/util/log.h"

namespace cultivar {
namespace {

constexpr std::array<std::string_view, 9> kSystem = {"/usr/", "/lib/", "/lib64/", "/bin/", "/sbin/",
                                                     "/etc/", "/dev/", "/proc/",  "/sys/"};

bool is_quote(char c) { return c == '\'' || c == '"' || c == '`'; }

bool ends_path(char c) {
    return static_cast<unsigned char>(c) <= ' ' || is_quote(c) ||
           std::string_view("():;,<>[]{}|").find(c) != std::string_view::npos;
}

// Does a path begin here, rather than go on?
bool begins_path(std::string_view text, std::size_t at) {
    if (text[at] != '/' && !(text[at] == '~' && text.substr(at).starts_with("~/"))) return false;
    return at == 0 || ends_path(text[at - 1]) || text[at - 1] == '=';
}

// A quoted path ends at its quote, and may hold anything else.
std::size_t length_of_path(std::string_view text, std::size_t at) {
    if (at > 0 && is_quote(text[at - 1])) {
        const std::size_t close = text.find(text[at - 1], at);
        if (close != std::string_view::npos) return close - at;
    }
    return static_cast<std::size_t>(std::ranges::find_if(text.substr(at), ends_path) - text.substr(at).begin());
}

std::string_view name_of(std::string_view path, std::string_view home) {
    const bool of_system = std::ranges::any_of(kSystem, [&](std::string_view one) { return path.starts_with(one); });
    while (path.size() > 1 && path.back() == '/') path.remove_suffix(1);
    if (!home.empty() && path == home) return "~";
    const std::size_t last = path.rfind('/');
    return of_system || last == 0 || last == std::string_view::npos ? path : path.substr(last + 1);
}

}  // namespace

std::string for_sharing(std::string_view text, std::string_view home) {
    const std::string masked = mask_secrets(text);
    text = masked;
    while (home.size() > 1 && home.back() == '/') home.remove_suffix(1);
    std::string shared;
    for (std::size_t at = 0; at < text.size();) {
        if (text.substr(at).starts_with("://")) {  // of a URL
            const std::size_t length = length_of_path(text, at + 1) + 1;
            shared.append(text.substr(at, length));
            at += length;
        } else if (begins_path(text, at)) {
            const std::size_t length = std::max<std::size_t>(length_of_path(text, at), 1);
            shared.append(name_of(text.substr(at, length), home));
            at += length;
        } else {
            shared.push_back(text[at++]);
        }
    }
    return shared;
}

std::string for_sharing(std::string_view text) {
    const char* home = std::getenv("HOME");
    return for_sharing(text, home ? home : "");
}

}  // namespace cultivar
