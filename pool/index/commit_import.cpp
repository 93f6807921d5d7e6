#include "pool/index/commit_import.h"

#include <fmt/format.h>

#include "pool/util/text.h"

namespace cultivar {

namespace {

constexpr std::size_t kMostReason = 300;  // bytes; reasons quote the commit

// Is the index itself in trouble, or the commit?
bool is_of_index(const Error& error) {
    return error.reason == Reason::bad_index || error.code == Code::io || error.code == Code::busy;
}

}  // namespace

Result<void> CommitImport::prepare() {
    const std::pair<Statement*, const char*> statements[] = {
        {&shared_, "SELECT 1 FROM candidate_commit WHERE oid = :oid AND shared > 0"},
        {&share_, "UPDATE candidate_commit SET shared = 1 WHERE oid = :oid AND shared = 0"},
        {&archive_, "UPDATE candidate_commit SET shared = 2 WHERE oid = :oid AND shared <> 2"},
        {&candidate_, "SELECT belief FROM candidate WHERE id = :id"},
        {&settle_, "UPDATE candidate SET said = :parents, parents = :parents, belief = :belief WHERE id = :id"},
        {&put_,
         "INSERT INTO candidate(id, toml, said, parents, belief) VALUES(:id, :toml, :parents, :parents, :belief)"},
        {&branch_, "INSERT OR REPLACE INTO branch VALUES(:ref, :oid, :refused)"},
    };
    for (const auto& [statement, sql] : statements) {
        TRY_ASSIGN(*statement, database_.sql().prepare(sql));
    }
    TRY_ASSIGN(Statement branches, database_.sql().prepare("SELECT ref, oid FROM branch ORDER BY ref"));
    return branches.each([&](Row& row) {
        std::string ref = row.text();
        known_.emplace_hint(known_.end(), std::move(ref), row.text());
    });
}

// A commit and its ancestors, which may all be others'. Errors: corrupt, git.
Result<void> CommitImport::take(const Oid& tip, Belief belief) {
    std::vector<Oid> todo = {tip};
    while (!todo.empty()) {
        const Oid oid = todo.back();
        TRY_ASSIGN(Lineage::Kin kin, kin_of(oid));
        for (const Oid& parent : kin.parents) {
            TRY_ASSIGN(bool known, shared_.bind(":oid", parent).any());
            if (!known) todo.push_back(parent);
        }
        if (todo.back() != oid) continue;
        todo.pop_back();
        TRY(take_candidate(oid, kin, oid == tip ? belief : Belief::foreign_commit));
        TRY(share_.bind(":oid", oid).run());
    }
    return {};
}

Result<void> CommitImport::take_branch(const Ref& ref) {
    if (const auto known = known_.find(ref.name); known != known_.end() && known->second == ref.oid) return {};
    const auto named = parse_candidate_branch(ref.name);
    const auto kin = kin_of(ref.oid);
    if (!kin && is_of_index(kin.error())) return fail(kin.error());
    std::string wrong = !named                                  ? "is not a candidate's branch"
                        : named->second != ref.oid.substr(0, 8) ? "points to another commit than its name says"
                        : !kin                                  ? kin.error().message
                        : kin->candidate != named->first        ? "holds another candidate than its name says"
                                                                : "";
    if (wrong.empty()) {
        const bool own = ref.name.starts_with("refs/heads/");
        auto taken = take(ref.oid, own ? Belief::own_commit : Belief::foreign_commit);
        if (!taken && is_of_index(taken.error())) return fail(taken.error());
        if (!taken) wrong = taken.error().message;
    }
    branch_.bind(":ref", ref.name).bind(":oid", ref.oid);
    if (!kin && kin.error().reason == Reason::other_task) return branch_.bind(":refused", "").run();  // no trouble
    if (wrong.empty()) return branch_.bind(":refused", std::nullopt).run();
    report_.refuse(ref.name, wrong);
    return branch_.bind(":refused", cut(wrong, kMostReason)).run();
}

Result<void> CommitImport::take_carried(const CarriedCommit& carried) {
    auto taken = take(carried.commit, Belief::foreign_commit);
    if (!taken && is_of_index(taken.error())) return fail(taken.error());
    if (!taken && taken.error().reason != Reason::other_task) report_.refuse(carried.ref, taken.error().message);
    if (!taken || !carried.archived) return {};
    TRY(archive_.bind(":oid", carried.commit).run());
    report_.archived += static_cast<int>(database_.sql().changes());
    return {};
}

Result<Lineage::Kin> CommitImport::kin_of(const Oid& commit) {
    Lineage& lineage = database_.lineage();
    TRY_ASSIGN(auto kin, lineage.kin_of(commit));
    if (!kin) {
        TRY(lineage.read(commit));
        TRY_ASSIGN(kin, lineage.kin_of(commit));
    }
    return std::move(*kin);
}

// Its word on the candidate's parents counts before weaker ones; of two equal ones, the first counts.
Result<void> CommitImport::take_candidate(const Oid& commit, const Lineage::Kin& kin, Belief belief) {
    const int by = static_cast<int>(belief);
    TRY_ASSIGN(auto known, candidate_.bind(":id", kin.candidate).first([](Row& row) { return row.count(); }));
    if (known && *known >= by) return {};
    const std::string parents = fmt::format("{}", fmt::join(kin.parent_candidates, " "));
    if (known) return settle_.bind(":parents", parents).bind(":belief", by).bind(":id", kin.candidate).run();
    TRY_ASSIGN(CandidateCommit read, database_.lineage().read(commit));
    ++report_.candidates;
    put_.bind(":id", kin.candidate).bind(":toml", read.candidate.toml);
    return put_.bind(":parents", parents).bind(":belief", by).run();
}

}  // namespace cultivar
