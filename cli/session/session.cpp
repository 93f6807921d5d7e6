#include "cli/session/session.h"

#include "cli/session/sandboxed_reader.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxSeeds = 1000;

}  // namespace

Result<Session> open_session(const std::string& folder, std::function<bool()> interrupted) {
    Session session;
    TRY_ASSIGN(Clone clone, open_clone(folder));
    session.clone = std::make_unique<Clone>(std::move(clone));
    const auto pool_value = [&](const std::string& name) { return session.clone->repo.config(name); };
    TRY_ASSIGN(session.settings, Settings::load(pool_value));
    TRY_ASSIGN(Index index, Index::open(*session.clone, reader_apart(std::move(interrupted), *session.clone)));
    session.index = std::make_unique<Index>(std::move(index));
    return session;
}

Result<std::vector<Seed>> read_seeds(const Clone& clone) {
    TRY_ASSIGN(Commit main, clone.repo.read_commit(clone.main));
    TRY_ASSIGN(std::vector<TreeEntry> root, clone.repo.read_tree(main.tree));
    std::vector<Seed> seeds;
    for (const TreeEntry& folder : root) {
        if (folder.name != "seeds" || !folder.is_tree) continue;
        TRY_ASSIGN(std::vector<TreeEntry> files, clone.repo.read_tree(folder.oid, kMaxSeeds));
        for (const TreeEntry& file : files) {
            if (!file.name.ends_with(".toml") || !file.plain_file) continue;
            TRY_ASSIGN(std::string text, clone.repo.read_blob(file.oid, kMaxCandidateBytes));
            TRY_ASSIGN(Candidate candidate,
                       read_candidate(clone.task.space, clone.task_id, text, "seeds/" + file.name));
            seeds.push_back({file.name.substr(0, file.name.size() - 5), std::move(candidate)});
        }
    }
    return seeds;
}

std::string change_against(Session& session, const CandidateRow& row, const std::string& parent) {
    const Clone& clone = *session.clone;
    auto child = parse_canonical(clone.task.space, clone.task_id, row.toml);
    if (!child) return "";
    auto before = clone.task.space.complete({});
    if (!parent.empty()) {
        auto from = session.index->candidate(parent);
        if (!from || !*from) return "";
        auto read = parse_canonical(clone.task.space, clone.task_id, (*from)->toml);
        if (!read) return "";
        before = read->genes;
    }
    return before ? change_text(gene_changes(clone.task.space, *before, child->genes)) : "";
}

}  // namespace cultivar
