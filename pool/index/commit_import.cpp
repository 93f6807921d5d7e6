// Candidates' commits, from branches and from what bundles carry, into the index's tables.
#include <fmt/format.h>

#include "pool/index/index.h"

namespace cultivar {

struct Index::Commits {
    Index& index;
    RefreshReport& report;
    Statement shared{}, share{}, archive{}, candidate{}, settle{}, put{}, known_branch{}, branch{};

    Result<void> prepare() {
        const std::pair<Statement*, const char*> statements[] = {
            {&shared, "SELECT 1 FROM candidate_commit WHERE oid = ? AND shared > 0"},
            {&share, "UPDATE candidate_commit SET shared = 1 WHERE oid = ? AND shared = 0"},
            {&archive, "UPDATE candidate_commit SET shared = 2 WHERE oid = ? AND shared <> 2"},
            {&candidate, "SELECT by_commit FROM candidate WHERE id = ?"},
            {&settle, "UPDATE candidate SET parents = ?, by_commit = 1 WHERE id = ?"},
            {&put, "INSERT INTO candidate(id, toml, parents, by_commit) VALUES(?, ?, ?, 1)"},
            {&known_branch, "SELECT 1 FROM branch WHERE ref = ? AND oid = ?"},
            {&branch, "INSERT OR REPLACE INTO branch VALUES(?, ?, ?)"},
        };
        for (const auto& [statement, sql] : statements) {
            TRY_ASSIGN(*statement, index.db_->prepare(sql));
        }
        return {};
    }

    // A commit and what it comes from. Errors: corrupt, git.
    Result<void> take(const Oid& tip) {
        std::vector<Oid> todo = {tip};
        while (!todo.empty()) {
            const Oid oid = todo.back();
            TRY_ASSIGN(Lineage::Kin kin, kin_of(oid));
            for (const Oid& parent : kin.parents) {
                TRY_ASSIGN(bool known, shared.bind(1, parent).step());
                shared.reset();
                if (!known) todo.push_back(parent);
            }
            if (todo.back() != oid) continue;
            todo.pop_back();
            TRY(take_candidate(oid, kin));
            TRY(share.bind(1, oid).run());
        }
        return {};
    }

    Result<void> take_branch(const Ref& ref) {
        TRY_ASSIGN(bool known, known_branch.bind(1, ref.name).bind(2, ref.oid).step());
        known_branch.reset();
        if (known) return {};
        const auto named = parse_candidate_branch(ref.name);
        const auto kin = kin_of(ref.oid);
        const std::string wrong = !named ? "is not a candidate's branch"
                                  : named->second != ref.oid.substr(0, 8)
                                      ? "points to another commit than its name says"
                                  : !kin                           ? kin.error().message
                                  : kin->candidate != named->first ? "holds another candidate than its name says"
                                                                   : "";
        branch.bind(1, ref.name).bind(2, ref.oid);
        if (wrong.empty()) {
            TRY(take(ref.oid));
            return branch.bind_null(3).run();
        }
        report.refused.push_back({ref.name, wrong});
        return branch.bind(3, wrong).run();
    }

    Result<void> take_carried(const Carried& carried) {
        auto taken = take(carried.commit);
        if (!taken && taken.error().code != Code::corrupt) return fail(taken.error());
        if (!taken) report.refused.push_back({carried.ref, taken.error().message});
        if (!taken || !carried.archived) return {};
        TRY(archive.bind(1, carried.commit).run());
        report.archived += static_cast<int>(index.db_->changes());
        return {};
    }

private:
    Result<Lineage::Kin> kin_of(const Oid& commit) {
        TRY_ASSIGN(auto kin, index.lineage_->kin_of(commit));
        if (!kin) {
            TRY(index.lineage_->read(commit));
            TRY_ASSIGN(kin, index.lineage_->kin_of(commit));
        }
        return std::move(*kin);
    }

    // What a commit says of a candidate's parents goes before what records say; of two commits, the first.
    Result<void> take_candidate(const Oid& commit, const Lineage::Kin& kin) {
        TRY_ASSIGN(bool known, candidate.bind(1, kin.candidate).step());
        const bool settled = known && candidate.whole(0) != 0;
        candidate.reset();
        if (settled) return {};
        const std::string parents = fmt::format("{}", fmt::join(kin.parent_candidates, " "));
        if (known) return settle.bind(1, parents).bind(2, kin.candidate).run();
        TRY_ASSIGN(CandidateCommit read, index.lineage_->read(commit));
        ++report.candidates;
        return put.bind(1, kin.candidate).bind(2, read.candidate.toml).bind(3, parents).run();
    }
};

Result<void> Index::take_candidates(const std::vector<Ref>& branches, const std::vector<Carried>& carried,
                                    RefreshReport& report) {
    Commits commits{*this, report};
    TRY(commits.prepare());
    for (const Ref& ref : branches) TRY(commits.take_branch(ref));
    for (const Carried& one : carried) TRY(commits.take_carried(one));
    return {};
}

}  // namespace cultivar
