#include "pool/clone/last_seen_tips.h"

#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "pool/util/file.h"
#include "pool/util/sha256.h"
#include "pool/util/text.h"

namespace cultivar {

Result<std::map<std::string, LogPosition>> read_last_seen_tips(const Clone& clone) {
    std::map<std::string, LogPosition> tips;
    std::string path = clone.seen_dir() + "tips";
    auto text = read_file(path);
    if (!text && text.error().code == Code::not_found) {  // where it lay before
        path = clone.state_dir + "tips";
        text = read_file(path);
    }
    if (!text && text.error().code != Code::not_found) return fail(text.error());
    std::istringstream lines(text ? *text : "");
    for (std::string line, ref; std::getline(lines, line);) {
        if (line.starts_with(' ')) continue;  // as once written of a log of which nothing was good
        std::istringstream words(line);
        LogPosition tip;
        if (!(words >> tip.oid >> tip.records >> ref) || !is_hex(tip.oid, 40))
            return fail(Code::newer,
                        fmt::format("'{}' is of a later format, which needs a newer cultivar, or damaged", path),
                        fmt::format("mv {} {}", shell_word(path), shell_word(path + ".old")));
        tips[ref] = tip;
    }
    return tips;
}

Result<void> write_last_seen_tips(const Clone& clone, const std::map<std::string, LogPosition>& tips) {
    std::string text;
    for (const auto& [ref, tip] : tips) {
        if (!tip.oid.empty()) text += fmt::format("{} {} {}\n", tip.oid, tip.records, ref);  // else none was good yet
    }
    std::error_code ec;
    std::filesystem::create_directories(clone.seen_dir(), ec);
    return write_file_atomically(clone.seen_dir() + "tips", text);
}

}  // namespace cultivar
