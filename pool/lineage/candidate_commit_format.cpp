#include "pool/lineage/candidate_commit_format.h"

#include <string_view>

#include <fmt/format.h>

#include "pool/util/sha256.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

constexpr std::size_t kSubjectLength = 72, kDigestShown = 8;

}  // namespace

std::vector<std::string> file_lines(const Candidate& child, const Candidate& a, const Candidate& b) {
    SourceFiles all = a.files;
    all.insert(b.files.begin(), b.files.end());
    std::vector<std::string> lines;
    for (const auto& [path, digest] : all) {
        const auto in = [&path = path](const Candidate& candidate) {
            const auto file = candidate.files.find(path);
            return file == candidate.files.end() ? std::string() : file->second;
        };
        const std::string of_a = in(a), of_b = in(b), taken = in(child);
        if (of_a == of_b) continue;
        const std::string from = taken == of_a   ? fmt::format("from {}", short_id(a.id))
                                 : taken == of_b ? fmt::format("from {}", short_id(b.id))
                                                 : "merged";
        lines.push_back(fmt::format("{} = {} {}", path, taken.empty() ? "unset" : taken.substr(0, kDigestShown), from));
    }
    return lines;
}

std::string cross_lines(const Cross& merge, const Candidate& a, const Candidate& b) {
    std::string text;
    for (const CrossOrigin& origin : merge.origins) {
        const char* how = origin.repaired ? ", repaired" : origin.contested ? ", contested" : "";
        text += fmt::format("{} = {} from {}{}\n", origin.gene, origin.value, short_id((origin.from == 'a' ? a : b).id),
                            how);
    }
    for (const std::string& line : file_lines(merge.child, a, b)) text += line + "\n";
    text += "\n";
    for (const Oid& base : merge.bases) text += fmt::format("Crossover-Base: {}\n", base);
    return text + fmt::format("Crossover-Seed: {}\n", merge.seed);
}

std::string subject_of(const std::vector<GeneChange>& changes) {
    if (changes.empty()) return "the defaults";
    std::string subject = change_text({changes[0]});
    for (std::size_t i = 1; i < changes.size(); ++i) {
        std::string longer = subject + ", " + change_text({changes[i]});
        std::string more = fmt::format(", {} more", changes.size() - i - 1);
        if (longer.size() + (i + 1 < changes.size() ? more.size() : 0) > kSubjectLength)
            return subject + fmt::format(", {} more", changes.size() - i);
        subject = std::move(longer);
    }
    return subject;
}

std::string candidate_branch(const std::string& candidate_id, const Oid& commit) {
    return fmt::format("candidates/{}.{}", candidate_id, commit.substr(0, 8));
}

std::optional<std::pair<std::string, std::string>> parse_candidate_branch(const std::string& ref) {
    constexpr std::string_view kFolder = "candidates/";
    if (ref.size() < kFolder.size() + 41) return std::nullopt;
    std::string_view folder(ref.data(), ref.size() - 41), tail(ref.data() + folder.size(), 41);
    if (!folder.ends_with(kFolder)) return std::nullopt;
    if (!is_hex(tail.substr(0, 32), 32) || tail[32] != '.' || !is_hex(tail.substr(33), 8)) return std::nullopt;
    return std::pair(std::string(tail.substr(0, 32)), std::string(tail.substr(33)));
}

}  // namespace cultivar
