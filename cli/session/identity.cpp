#include "cli/session/identity.h"

#include <pwd.h>
#include <unistd.h>

#include <filesystem>

namespace cultivar {

WriterName writer_name(const Settings& settings) {
    WriterName who{settings.name.value, settings.machine.value};
    if (who.name.empty()) {
        const passwd* user = ::getpwuid(::getuid());
        who.name = user ? user->pw_name : "";
    }
    if (who.machine.empty()) {
        char host[256] = {};
        if (::gethostname(host, sizeof host - 1) == 0) who.machine = host;
    }
    return {writer_word(who.name), writer_word(who.machine)};
}

Result<std::string> absolute_remote(const std::string& url) {
    std::error_code ec;
    if (url.empty() || url.find("://") != std::string::npos || !std::filesystem::exists(url, ec)) return url;
    auto path = std::filesystem::canonical(url, ec);
    if (ec) return fail(Code::io, "cannot read '" + url + "': " + ec.message());
    return path.string();
}

}  // namespace cultivar
