#include "pool/types/candidate.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "pool/util/sha256.h"
#include "pool/util/text.h"
#include "pool/util/toml_reader.h"

namespace cultivar {
namespace {

constexpr std::string_view kFilesTable = "[files]\n";
constexpr std::size_t kDigest = 64;

std::string canonical(const Genes& minimal, const SourceFiles& files) {
    std::string text;
    for (const auto& [name, value] : minimal) text.append(name).append(" = ").append(to_toml(value)).append("\n");
    if (!files.empty()) text += kFilesTable;
    for (const auto& [path, sha256] : files) text += fmt::format("\"{}\" = \"{}\"\n", path, sha256);
    return text;
}

Result<void> check_files(const Space& space, const SourceFiles& files) {
    if (files.empty()) return {};
    if (!space.surface()) return fail(Code::usage, "the task lets no candidate bring files");
    for (const auto& [path, sha256] : files) {
        if (!is_hex(sha256, kDigest)) return fail(Code::usage, fmt::format("'{}' has no digest", clean(path)));
    }
    return space.surface()->check_paths(files);
}

// Of a complete assignment.
Result<Candidate> candidate_of(const Space& space, const std::string& task_id, Genes complete, SourceFiles files) {
    const Genes minimal = space.minimal(complete);
    complete = space.defaults();  // inactive genes are at theirs
    for (const auto& [name, value] : minimal) complete.at(name) = value;
    TRY(space.check(complete));
    TRY(check_files(space, files));
    Candidate candidate;
    candidate.toml = canonical(minimal, files);
    candidate.id = sha256_hex(task_id + candidate.toml).substr(0, 32);
    candidate.genes = std::move(complete);
    candidate.files = std::move(files);
    return candidate;
}

}  // namespace

Result<Candidate> make_candidate(const Space& space, const std::string& task_id, const Genes& changes,
                                 SourceFiles files) {
    TRY_ASSIGN(Genes complete, space.complete(changes));
    return candidate_of(space, task_id, std::move(complete), std::move(files));
}

Result<Candidate> read_candidate(const Space& space, const std::string& task_id, std::string_view toml,
                                 const std::string& where) {
    TRY_ASSIGN(std::vector<TomlEntry> entries, read_toml(toml, where, kMaxCandidateBytes));
    Genes changes;
    SourceFiles files;
    for (TomlEntry& entry : entries) {
        auto refuse = [&](const std::string& what) {
            return fail(Code::usage, fmt::format("{}:{}:{}: {}", where, entry.line, entry.column, what));
        };
        if (entry.path.front() == "files") {
            const auto* sha256 = entry.is_array ? nullptr : std::get_if<std::string>(&entry.values.front());
            if (entry.path.size() != 2 || !sha256) return refuse("[files] holds paths with their SHA-256");
            files[entry.path.back()] = *sha256;
            continue;
        }
        if (entry.is_array) return refuse(fmt::format("'{}' is a list; a gene has one value", entry.dotted()));
        const Gene* gene = space.find(entry.dotted());
        if (!gene) return refuse(space.unknown(entry.dotted()).message);
        auto value = gene->accept(entry.values.front());
        if (!value) return refuse(value.error().message);
        changes[gene->name] = std::move(*value);
    }
    auto candidate = make_candidate(space, task_id, changes, std::move(files));
    if (!candidate) return fail(candidate.error().code, fmt::format("{}: {}", where, candidate.error().message));
    return candidate;
}

namespace {

// A value as to_toml() writes it; nothing for anything rarer (escapes, say).
std::optional<Value> plain_value(std::string_view text) {
    if (text == "true" || text == "false") return Value(text == "true");
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"') {
        text = text.substr(1, text.size() - 2);
        if (text.find_first_of("\"\\") != std::string_view::npos) return std::nullopt;
        return Value(std::string(text));
    }
    auto read = [&]<typename T>(T value) -> std::optional<Value> {
        auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (wrong != std::errc() || end != text.data() + text.size()) return std::nullopt;
        return Value(value);
    };
    return text.find_first_of(".en") == std::string_view::npos ? read(std::int64_t{}) : read(double{});
}

// The lines below `[files]`, as canonical() writes them.
std::optional<SourceFiles> plain_files(std::string_view lines) {
    SourceFiles files;
    constexpr std::string_view kIs = "\" = \"", kEnd = "\"\n";
    for (; !lines.empty(); lines.remove_prefix(lines.find('\n') + 1)) {
        const std::size_t is = lines.find(kIs), end = lines.find(kEnd);
        if (lines.front() != '"' || is == std::string_view::npos || end != is + kIs.size() + kDigest)
            return std::nullopt;
        files.emplace(lines.substr(1, is - 1), lines.substr(is + kIs.size(), kDigest));
    }
    return files;
}

// Reads most candidates of pools without a TOML parser; the parser judges the rest.
std::optional<Candidate> read_plainly(const Space& space, const std::string& task_id, std::string_view toml) {
    Genes complete = space.defaults();
    const std::size_t table = toml.starts_with(kFilesTable) ? 0 : toml.find("\n[files]\n") + 1;  // 0: none behind genes
    const std::string_view genes = table > 0 ? toml.substr(0, table) : toml.starts_with(kFilesTable) ? "" : toml;
    auto files = plain_files(genes.size() == toml.size() ? "" : toml.substr(genes.size() + kFilesTable.size()));
    if (!files) return std::nullopt;
    for (std::string_view rest = genes; !rest.empty();) {
        const std::size_t end = rest.find('\n'), is = rest.find(" = ");
        if (end == std::string_view::npos || is == std::string_view::npos || is > end) return std::nullopt;
        auto value = plain_value(rest.substr(is + 3, end - is - 3));
        const Gene* gene = space.find(rest.substr(0, is));
        if (!value || !gene) return std::nullopt;
        auto accepted = gene->accept(*value);
        if (!accepted) return std::nullopt;
        complete.at(gene->name) = std::move(*accepted);
        rest.remove_prefix(end + 1);
    }
    auto candidate = candidate_of(space, task_id, std::move(complete), std::move(*files));
    if (!candidate || candidate->toml != toml) return std::nullopt;
    return std::move(*candidate);
}

}  // namespace

Result<Candidate> parse_canonical(const Space& space, const std::string& task_id, std::string_view toml) {
    if (toml.size() <= kMaxCandidateBytes) {
        if (auto plain = read_plainly(space, task_id, toml)) return std::move(*plain);
    }
    auto candidate = read_candidate(space, task_id, toml, "candidate.toml");
    if (!candidate) return fail(Code::corrupt, candidate.error().message);
    if (candidate->toml != toml) return fail(Code::corrupt, "candidate.toml is not in canonical form");
    return candidate;
}

std::uint64_t run_seed(const std::string& candidate_id, int replicate) {
    return std::stoull(sha256_hex(fmt::format("{}:{}", candidate_id, replicate)).substr(0, 12), nullptr, 16);
}

std::vector<GeneChange> gene_changes(const Space& space, const Genes& before, const Genes& after) {
    std::vector<GeneChange> changes;
    for (const Gene& gene : space.genes()) {
        auto text = [&](const Genes& genes) {
            auto value = genes.find(gene.name);
            return value != genes.end() && space.active(gene, genes) ? to_toml(value->second) : std::string();
        };
        std::string was = text(before), is = text(after);
        if (was != is) changes.push_back({gene.name, std::move(was), std::move(is)});
    }
    std::sort(changes.begin(), changes.end(), [](const auto& a, const auto& b) { return a.gene < b.gene; });
    return changes;
}

std::vector<GeneChange> candidate_changes(const Space& space, const Candidate& before, const Candidate& after) {
    constexpr std::size_t kShown = 8;
    std::vector<GeneChange> changes = gene_changes(space, before.genes, after.genes);
    SourceFiles all = before.files;
    all.insert(after.files.begin(), after.files.end());
    for (const auto& [path, sha256] : all) {
        const auto digest = [&path = path](const SourceFiles& files) {
            const auto file = files.find(path);
            return file == files.end() ? std::string() : file->second;
        };
        const std::string was = digest(before.files), is = digest(after.files);
        if (was != is) changes.push_back({path, was.substr(0, kShown), is.substr(0, kShown)});
    }
    return changes;
}

std::string change_text(const std::vector<GeneChange>& changes) {
    std::string text;
    for (const GeneChange& change : changes) {
        if (!text.empty()) text += ", ";
        auto shown = [](const std::string& value) { return value.empty() ? std::string("unset") : value; };
        text += fmt::format("{} {} -> {}", change.gene, shown(change.before), shown(change.after));
    }
    return text.empty() ? "nothing" : text;
}

}  // namespace cultivar
