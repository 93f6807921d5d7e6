#include <algorithm>
#include <unordered_map>

#include "pool/index/index_queries.h"
#include "pool/index/sql.h"

namespace cultivar {
namespace {

// A step of training costs the forward pass three times: once, and twice to go back.
constexpr const char* kSpentRuns = R"(
SELECT seq, writer, COALESCE((SELECT NULLIF(writer.key, '') FROM writer WHERE writer.name = record.writer), writer), category, at,
    wall_s, 3 * COALESCE(flops, 0) * COALESCE(tokens, 0)
FROM record WHERE type = 'run' AND refused IS NULL ORDER BY at, seq)";

// The last run of a claim (a row `record`).
constexpr const char* kLastRunOf =
    "(SELECT run.seq FROM claim_run JOIN record AS run ON run.id = claim_run.run AND run.type = 'run' WHERE "
    "claim_run.claim = record.id ORDER BY run.at DESC, run.seq DESC LIMIT 1)";

}  // namespace

Result<std::vector<EnergyGroup>> IndexQueries::energy_groups() {
    TRY_ASSIGN(Statement get, prepare(R"(
SELECT energy_group.id, energy_group.writer, COALESCE(NULLIF(writer.key, ''), energy_group.writer), category, operator, line,
    zone, method, spread FROM energy_group LEFT JOIN writer ON writer.name = energy_group.writer ORDER BY energy_group.id)"));
    return get.all([](Row& row) {
        EnergyGroup group;
        group.id = row.whole();
        group.writer = row.text(), group.key = row.text(), group.category = row.text();
        group.operator_name = row.text(), group.line = row.text();
        group.zone = row.text(), group.method = row.text(), group.is_spread = row.flag();
        return group;
    });
}

Result<void> IndexQueries::each_energy(const std::function<void(const EnergyPart&)>& take) {
    TRY_ASSIGN(Statement get,
               prepare("SELECT kind, owner, grp, start_s, length_s, seconds, above, above_low, above_high, gross, "
                       "gross_low, gross_high, known, bytes FROM energy"));
    return get.each([&](Row& row) {
        EnergyPart part;
        part.is_verdict = row.flag();
        part.owner = row.whole(), part.group = row.whole();
        part.start_s = row.whole(), part.length_s = row.whole();
        part.seconds = row.real();
        for (double* figure :
             {&part.above, &part.above_low, &part.above_high, &part.gross, &part.gross_low, &part.gross_high})
            *figure = row.real();
        part.gross_known = row.flag();
        part.bytes = row.whole();
        take(part);
    });
}

Result<std::vector<EnergyOwner>> IndexQueries::energy_owners(bool verdicts_alone) {
    TRY_ASSIGN(Statement get, prepare(R"(
SELECT 0, seq, id, candidate, category FROM record WHERE type = 'run' AND refused IS NULL AND NOT :alone
UNION ALL SELECT 1, verdict.seq, verdict.id, COALESCE(record.candidate, ''), COALESCE(record.category, '')
    FROM verdict LEFT JOIN record ON record.id = verdict.claim)"));
    get.bind(":alone", verdicts_alone);
    return get.all([](Row& row) {
        EnergyOwner owner;
        owner.is_verdict = row.flag();
        owner.owner = row.whole();
        owner.id = row.text(), owner.candidate = row.text(), owner.category = row.text();
        return owner;
    });
}

Result<std::vector<std::int64_t>> IndexQueries::rejected_runs() {
    TRY_ASSIGN(Statement get, prepare("SELECT seq FROM record WHERE rejected = 1 AND type = 'run'"));
    return get.all([](Row& row) { return row.whole(); });
}

Result<std::vector<VerifiedImprovement>> IndexQueries::verified_improvements() {
    TRY_ASSIGN(Statement get, prepare(R"(
SELECT best.category, seed.score, best.score FROM
    (SELECT category, MIN(val_bpb) AS score FROM standing WHERE runs > 0 AND verdict = 'accepted' GROUP BY category) AS best
    JOIN (SELECT standing.category, MIN(val_bpb) AS score FROM standing JOIN candidate ON candidate.id = standing.candidate
        WHERE standing.runs > 0 AND candidate.parents = '' GROUP BY standing.category) AS seed USING(category)
    WHERE best.score < seed.score ORDER BY best.category)"));
    return get.all([](Row& row) {
        VerifiedImprovement one;
        one.category = row.text();
        one.seed = row.real(), one.best = row.real();
        return one;
    });
}

Result<std::vector<SpentRow>> IndexQueries::spent_runs() {
    TRY_ASSIGN(Statement get, prepare(kSpentRuns));
    TRY_ASSIGN(std::vector<SpentRow> runs, get.all([](Row& row) {
        SpentRow one;
        one.run = row.whole();
        one.writer = row.text(), one.key = row.text(), one.category = row.text(), one.at = row.text();
        one.wall_s = row.real(), one.training_flops = row.real();
        return one;
    }));
    std::unordered_map<std::int64_t, SpentRow*> by_number;
    for (SpentRow& one : runs) by_number[one.run] = &one;
    const auto of = [&](std::int64_t number) {
        const auto found = by_number.find(number);
        return found == by_number.end() ? nullptr : found->second;
    };
    TRY_ASSIGN(Statement scores, prepare(fmt::format(R"(
SELECT {}, standing.val_bpb FROM record JOIN standing USING(candidate, category)
WHERE type = 'claim' AND refused IS NULL AND standing.runs > 0 AND COALESCE({}, 0))",
                                                     kLastRunOf, stands(clone()))));
    TRY(scores.each([&](Row& row) {
        SpentRow* run = of(row.whole());
        const double loss = row.real();
        if (run) run->verified_loss = std::min(loss, run->verified_loss.value_or(loss));
    }));
    TRY_ASSIGN(Statement verdicts, prepare(fmt::format("SELECT verdict.seq, {} FROM verdict JOIN record ON record.id = "
                                                       "verdict.claim AND record.type = 'claim'",
                                                       kLastRunOf)));
    TRY(verdicts.each([&](Row& row) {
        const std::int64_t verdict = row.whole();
        if (SpentRow* run = of(row.whole())) run->verdicts.push_back(verdict);
    }));
    return runs;
}

}  // namespace cultivar
