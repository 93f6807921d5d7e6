#include "pool/clone/seeds.h"

namespace cultivar {
namespace {

constexpr std::size_t kMaxSeeds = 1000;

}  // namespace

Result<std::vector<Seed>> read_seeds(const Clone& clone, std::vector<Error>* faults) {
    TRY_ASSIGN(Commit main, clone.repo.read_commit(clone.main));
    TRY_ASSIGN(std::vector<TreeEntry> root, clone.repo.read_tree(main.tree));
    std::vector<Seed> seeds;
    std::vector<Error> bad;
    for (const TreeEntry& folder : root) {
        if (folder.name != "seeds" || !folder.is_tree) continue;
        TRY_ASSIGN(std::vector<TreeEntry> files, clone.repo.read_tree(folder.oid, kMaxSeeds));
        for (const TreeEntry& file : files) {
            if (!file.name.ends_with(".toml") || !file.plain_file) continue;
            TRY_ASSIGN(std::string text, clone.repo.read_blob(file.oid, kMaxCandidateBytes));
            auto candidate = read_candidate(clone.task.space, clone.task_id, text, "seeds/" + file.name);
            if (candidate && !candidate->files.empty())
                candidate = fail(Code::usage, "seeds/" + file.name + ": a seed has genes alone, and no files");
            if (candidate)
                seeds.push_back({file.name.substr(0, file.name.size() - 5), std::move(*candidate)});
            else
                bad.push_back(candidate.error());
        }
    }
    if (seeds.empty() && !bad.empty()) return fail(bad.front());
    if (faults) *faults = std::move(bad);
    return seeds;
}

}  // namespace cultivar
