#include "pool/lineage.h"

#include <algorithm>

#include <fmt/format.h>

#include "pool/digest.h"
#include "pool/record.h"

namespace cultivar {
namespace {

constexpr const char* kFile = "candidate.toml";
constexpr const char* kAuthor = "cultivar";
constexpr const char* kEmail = "pool@cultivar.invalid";
constexpr std::size_t kSubjectLength = 72;

std::string short_id(const Candidate& candidate) { return candidate.id.substr(0, 8); }

std::string cross_lines(const Cross& merge, const Candidate& a, const Candidate& b) {
    std::string text;
    for (const CrossOrigin& origin : merge.origins) {
        const char* how = origin.repaired ? ", repaired" : origin.contested ? ", contested" : "";
        text +=
            fmt::format("{} = {} from {}{}\n", origin.gene, origin.value, short_id(origin.from == 'a' ? a : b), how);
    }
    text += "\n";
    for (const Oid& base : merge.bases) text += fmt::format("Crossover-Base: {}\n", base);
    return text + fmt::format("Crossover-Seed: {}\n", merge.seed);
}

// As many changes as fit a line of 72 characters, at least one; the rest as a number.
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

}  // namespace

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

Result<bool> ensure_candidate_branch(Repo& repo, const CandidateCommit& commit) {
    std::string ref = "refs/heads/" + candidate_branch(commit.candidate.id, commit.oid);
    TRY_ASSIGN(std::optional<Oid> there, repo.ref(ref));
    if (!there) TRY(repo.set_ref(ref, commit.oid, ""));
    return there.has_value();
}

Result<CandidateCommit> Lineage::read(const Oid& commit) {
    // Ancestors first, without recursion: a hostile history may be deep.
    std::vector<Oid> todo = {commit};
    while (!todo.empty()) {
        Oid next = todo.back();
        if (known_.count(next)) {
            todo.pop_back();
            continue;
        }
        TRY_ASSIGN(Commit raw, repo_.read_commit(next));
        if (raw.parents.size() > 2) return fail(Code::corrupt, fmt::format("commit {} has too many parents", next));
        std::size_t before = todo.size();
        for (const Oid& parent : raw.parents) {
            if (!known_.count(parent)) todo.push_back(parent);
        }
        if (todo.size() > 1'000'000) return fail(Code::corrupt, "a history that is too deep");
        if (todo.size() > before) continue;
        TRY_ASSIGN(CandidateCommit one, read_one(next));
        known_.emplace(next, std::move(one));
        todo.pop_back();
    }
    return known_.at(commit);
}

Result<CandidateCommit> Lineage::read_one(const Oid& name) {
    TRY_ASSIGN(Commit raw, repo_.read_commit(name));
    TRY_ASSIGN(std::vector<TreeEntry> entries, repo_.read_tree(raw.tree, 8));
    if (entries.size() != 1 || entries[0].name != kFile || !entries[0].plain_file)
        return fail(Code::corrupt, fmt::format("commit {} holds something else than {}", name, kFile));
    TRY_ASSIGN(std::string toml, repo_.read_blob(entries[0].oid, kMaxCandidateBytes));
    TRY_ASSIGN(Candidate candidate, parse_canonical(task_.space, task_id_, toml));
    TRY_ASSIGN(CandidateCommit again, build(candidate, raw.parents));
    if (again.oid != name)
        return fail(Code::corrupt, fmt::format("commit {} is not the commit of its candidate and parents", name));
    return again;
}

Result<CandidateCommit> Lineage::write(const Candidate& candidate, std::vector<Oid> parents) {
    std::sort(parents.begin(), parents.end());
    for (const Oid& parent : parents) TRY(read(parent));
    TRY_ASSIGN(CandidateCommit made, build(candidate, parents));
    known_.emplace(made.oid, made);
    return made;
}

Result<CandidateCommit> Lineage::build(const Candidate& candidate, const std::vector<Oid>& parents) {
    std::vector<CandidateCommit> from;
    TRY_ASSIGN(std::int64_t unix_s, parse_utc(task_.created));
    for (const Oid& parent : parents) {
        from.push_back(known_.at(parent));
        unix_s = std::max(unix_s, from.back().unix_s + 1);
    }
    TRY_ASSIGN(std::string message, message_of(candidate, from));
    TRY_ASSIGN(Oid blob, repo_.write_blob(candidate.toml));
    TRY_ASSIGN(Oid tree, repo_.write_tree({{kFile, blob, false, true}}));
    TRY_ASSIGN(Oid oid, repo_.write_commit({tree, parents, {kAuthor, kEmail, unix_s}, message}));
    return CandidateCommit{oid, candidate, parents, unix_s};
}

Result<std::string> Lineage::message_of(const Candidate& candidate, const std::vector<CandidateCommit>& parents) {
    std::string trailer = fmt::format("Candidate: {}\n", candidate.id);
    if (parents.size() == 2) {
        std::string subject =
            fmt::format("cross of {} and {}\n\n", short_id(parents[0].candidate), short_id(parents[1].candidate));
        auto merge = cross_of(parents[0].oid, parents[1].oid);
        // Two parents also mark a child that a person merged by hand: then the message tells the genes alone.
        if (merge && merge->child.id == candidate.id)
            return subject + cross_lines(*merge, parents[0].candidate, parents[1].candidate) + trailer;
        std::string text =
            fmt::format("merge of {} and {}\n\n", short_id(parents[0].candidate), short_id(parents[1].candidate));
        return text + candidate.toml + "\n" + trailer;
    }
    TRY_ASSIGN(Genes defaults, task_.space.complete({}));
    auto changes = gene_changes(task_.space, parents.empty() ? defaults : parents[0].candidate.genes, candidate.genes);
    std::string subject = subject_of(changes);
    std::string text = (parents.empty() ? "root: " : "") + subject + "\n\n";
    for (const GeneChange& change : changes) text += change_text({change}) + "\n";
    return text + (changes.empty() ? "" : "\n") + trailer;
}

Result<Cross> Lineage::cross_of(const Oid& a, const Oid& b) {
    TRY_ASSIGN(CandidateCommit one, read(a));
    TRY_ASSIGN(CandidateCommit two, read(b));
    TRY_ASSIGN(std::vector<Oid> bases, repo_.merge_bases(a, b));
    std::vector<std::pair<Oid, Genes>> base_genes;
    for (const Oid& base : bases) {
        TRY_ASSIGN(CandidateCommit found, read(base));
        base_genes.emplace_back(base, found.candidate.genes);
    }
    return cross(task_.space, task_id_, {one.oid, one.candidate}, {two.oid, two.candidate}, std::move(base_genes));
}

}  // namespace cultivar
