#include "pool/clone/seeds.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxSeeds = 1000;

}  // namespace

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

}  // namespace cultivar
