#include "benchmarks/synthetic/pool.h"

#include <algorithm>
#include <map>
#include <numeric>

#include <fmt/format.h>

#include "benchmarks/synthetic/journal.h"
#include "benchmarks/synthetic/measured.h"
#include "benchmarks/synthetic/search.h"
#include "train/lm/space/lm_search_space.h"

namespace cultivar {
namespace {

constexpr int kRunsAContributor = 100, kFewestContributors = 10;
constexpr std::size_t kArchivedAtOnce = 100;
constexpr std::int64_t kFirstRun_s = 3600, kBetweenRuns_s = 660;
constexpr std::uint64_t kFiguresSeed = 0x5eed;

int contributors_of(const PoolShape& shape) {
    return shape.contributors > 0 ? shape.contributors : std::max(kFewestContributors, shape.runs / kRunsAContributor);
}

// Makes the commit graph of a search. The generator writes candidate commits only here.
CommitGraph commit_graph_of(Lineage& lineage, std::vector<CandidateCommit>& kept) {
    return {[&](const Candidate& candidate, const std::vector<Oid>& parents) -> Result<Oid> {
                TRY_ASSIGN(CandidateCommit commit, lineage.write(candidate, parents));
                commit.candidate.genes.clear();
                kept.push_back(std::move(commit));
                return kept.back().oid;
            },
            [&](const Oid& a, const Oid& b) -> Result<Candidate> {
                TRY_ASSIGN(Cross cross, lineage.cross_of(a, b));
                return cross.child;
            }};
}

Result<void> write_main(Repo& repo, const Task& task, const SyntheticWriter& founder, std::int64_t unix_s) {
    std::vector<TreeEntry> seeds, root;
    for (const auto& [name, toml] : lm_seeds()) {
        TRY_ASSIGN(const Oid blob, repo.write_blob(toml));
        seeds.push_back({name + ".toml", blob, false, true});
    }
    TRY_ASSIGN(const Oid signers,
               repo.write_blob(fmt::format("{} namespaces=\"git\" {}\n", founder.name, founder.key.public_text())));
    TRY_ASSIGN(const Oid pool, repo.write_blob(to_toml(task)));
    TRY_ASSIGN(const Oid folder, repo.write_tree(seeds));
    TRY_ASSIGN(const Oid tree, repo.write_tree({{"allowed_signers", signers, false, true},
                                                {"pool.toml", pool, false, true},
                                                {"seeds", folder, true, false}}));
    TRY_ASSIGN(const Oid commit, repo.write_commit({tree, {}, founder.at(unix_s), "Create the pool\n"}));
    return repo.set_ref("refs/heads/main", commit, "");
}

// Returns the order of contributors: everybody runs once before anybody runs again, in an order that changes.
std::vector<int> turns(int runs, int contributors, Random& random) {
    std::vector<int> order, writers(static_cast<std::size_t>(contributors));
    std::iota(writers.begin(), writers.end(), 0);
    while (order.size() < static_cast<std::size_t>(runs)) {
        for (std::size_t i = writers.size(); i > 1; --i) std::swap(writers[i - 1], writers[random.below(i)]);
        order.insert(order.end(), writers.begin(), writers.end());
    }
    order.resize(static_cast<std::size_t>(runs));
    return order;
}

// Returns every run of the pool in order of time. The kept ones are commits in `repo` already.
Result<std::vector<RunSketch>> search_all(Repo& repo, const Task& task, const PoolShape& shape,
                                          const std::vector<SyntheticWriter>& writers,
                                          std::vector<CandidateCommit>& kept, PoolSummary& summary) {
    TRY_ASSIGN(const std::int64_t created_s, parse_utc(task.created));
    Random random(shape.seed ^ kFiguresSeed);
    const std::vector<int> turn = turns(shape.runs, summary.contributors, random);
    Lineage lineage(repo, task);
    SyntheticSearch search(task, shape.seed, shape.crossover, commit_graph_of(lineage, kept));
    std::vector<RunSketch> sketches;
    for (std::int64_t i = 0; i < shape.runs; ++i) {
        TRY_ASSIGN(RunSketch sketch, search.next());
        const SyntheticWriter& writer = writers[static_cast<std::size_t>(turn[static_cast<std::size_t>(i)])];
        sketch.writer = writer.name;
        sketch.category = writer.category;
        sketch.started_unix_s = created_s + kFirstRun_s + kBetweenRuns_s * i / summary.contributors;
        sketches.push_back(std::move(sketch));
    }
    summary.kept = static_cast<int>(kept.size());
    summary.crosses = search.crosses();
    return sketches;
}

// Appends a run with its lease, and its claim if it was kept.
Result<void> append_run(JournalBuilder& journal, const Run& run, PoolSummary& summary) {
    TRY_ASSIGN(const std::int64_t unix_s, parse_utc(run.ended));
    std::vector<std::string> lines = {to_line(lease_of(run)), to_line(run)};
    if (run.decision == Decision::kept) lines.push_back(to_line(claim_of(run, record_id(lines.back()))));
    for (const std::string& line : lines) {
        TRY(journal.append(line, unix_s));
        ++summary.records;
        summary.record_bytes += static_cast<std::int64_t>(line.size()) + 1;
    }
    return {};
}

// Writes one journal after the other, so that a segment's versions follow each other in the pack.
Result<void> write_journals(const std::string& folder, const Task& task, std::vector<SyntheticWriter> writers,
                            const std::vector<RunSketch>& sketches, std::uint64_t seed, PoolSummary& summary) {
    const std::string task_id = task.id();
    std::map<std::string, std::vector<std::size_t>> by_writer;
    for (std::size_t i = 0; i < sketches.size(); ++i) by_writer[sketches[i].writer].push_back(i);
    TRY_ASSIGN(PackWriter pack, PackWriter::create(folder));
    std::vector<JournalBuilder> journals;
    for (SyntheticWriter& writer : writers) {
        JournalBuilder& journal = journals.emplace_back(std::move(writer), pack);
        for (std::size_t i : by_writer[journal.writer().name])
            TRY(append_run(journal, run_of(task, task_id, sketches[i], seed ^ (kFiguresSeed + i)), summary));
        TRY(journal.push());
    }
    TRY(pack.finish());
    TRY_ASSIGN(Repo repo, Repo::discover(folder));
    for (const JournalBuilder& journal : journals) TRY(journal.commit(repo));
    return {};
}

// Writes the branch `archive`, which holds history only. Each commit's first parent is the previous one, the others are
// up to 100 candidates.
Result<void> write_archive(Repo& repo, const SyntheticWriter& maintainer, const std::vector<CandidateCommit>& settled) {
    if (settled.empty()) return {};
    TRY_ASSIGN(const Oid nothing, repo.write_tree({}));
    std::optional<Oid> tip;
    for (std::size_t begin = 0; begin < settled.size(); begin += kArchivedAtOnce) {
        const std::size_t end = std::min(settled.size(), begin + kArchivedAtOnce);
        std::vector<Oid> parents;
        std::int64_t newest_s = 0;
        if (tip) parents.push_back(*tip);
        for (std::size_t i = begin; i < end; ++i) {
            parents.push_back(settled[i].oid);
            newest_s = std::max(newest_s, settled[i].unix_s);
        }
        TRY_ASSIGN(tip, repo.write_commit({nothing, parents, maintainer.at(newest_s + 1),
                                           fmt::format("archive {} candidates\n", end - begin)},
                                          &maintainer.key));
    }
    return repo.set_ref("refs/heads/archive", *tip, "");
}

Result<void> as_a_host_keeps_it(const std::string& folder) {
    TRY(run_quietly({"git", "-C", folder, "pack-refs", "--all"}));
    return run_quietly({"git", "-C", folder, "repack", "-adq"});
}

}  // namespace

Result<PoolSummary> make_synthetic_pool(const std::string& folder, const PoolShape& shape) {
    TRY(run_quietly({"git", "init", "-q", "--bare", "-b", "main", folder}));
    TRY_ASSIGN(Repo repo, Repo::discover(folder));
    TRY_ASSIGN(const Task task, synthetic_task());
    TRY_ASSIGN(const std::int64_t created_s, parse_utc(task.created));
    PoolSummary summary;
    summary.contributors = contributors_of(shape);
    std::vector<SyntheticWriter> writers;
    for (int i = 0; i < summary.contributors; ++i) {
        TRY_ASSIGN(SyntheticWriter writer, synthetic_writer(shape.seed, i));
        writers.push_back(std::move(writer));
    }
    const SyntheticWriter founder = writers.front();
    TRY(write_main(repo, task, founder, created_s));

    std::vector<CandidateCommit> kept;
    TRY_ASSIGN(const std::vector<RunSketch> sketches, search_all(repo, task, shape, writers, kept, summary));
    TRY(write_journals(folder, task, std::move(writers), sketches, shape.seed, summary));
    const std::size_t settled = kept.size() - std::min(kept.size(), shape.live_branches);
    for (std::size_t i = settled; i < kept.size(); ++i) TRY(ensure_candidate_branch(repo, kept[i]));
    kept.resize(settled);
    summary.archived = static_cast<int>(settled);
    TRY(write_archive(repo, founder, kept));
    TRY(as_a_host_keeps_it(folder));
    return summary;
}

Result<std::vector<FurtherRun>> further_runs(Repo& repo, const Task& task, const std::string& writer,
                                             std::uint64_t seed, int count) {
    TRY_ASSIGN(const std::int64_t created_s, parse_utc(task.created));
    Lineage lineage(repo, task);
    std::vector<CandidateCommit> kept;
    SyntheticSearch search(task, seed, 0, commit_graph_of(lineage, kept));
    for (std::size_t i = 0; i < lm_seeds().size(); ++i) TRY(search.next());  // skips the seeds, which the pool has
    std::vector<FurtherRun> runs;
    for (int i = 0; i < count; ++i) {
        const std::size_t before = kept.size();
        TRY_ASSIGN(RunSketch sketch, search.next());
        sketch.writer = writer;
        sketch.category = "cpu-600s-e11";
        sketch.started_unix_s = created_s + kFirstRun_s + kBetweenRuns_s * i;
        FurtherRun further{run_of(task, task.id(), sketch, seed ^ static_cast<std::uint64_t>(i)), std::nullopt};
        if (kept.size() > before) further.commit = kept.back();
        runs.push_back(std::move(further));
    }
    return runs;
}

Result<void> push_further_runs(const std::string& folder, const PoolShape& shape, int count, int round) {
    TRY_ASSIGN(Repo repo, Repo::discover(folder));
    TRY_ASSIGN(const Task task, synthetic_task());
    TRY_ASSIGN(const SyntheticWriter writer, synthetic_writer(shape.seed, 0));
    TRY_ASSIGN(const std::vector<FurtherRun> runs,
               further_runs(repo, task, writer.name, shape.seed + 1 + static_cast<std::uint64_t>(round), count));
    std::vector<std::string> lines;
    for (const FurtherRun& further : runs) {
        lines.push_back(to_line(lease_of(further.run)));
        lines.push_back(to_line(further.run));
        if (!further.commit) continue;
        lines.push_back(to_line(claim_of(further.run, record_id(lines.back()))));
        TRY(ensure_candidate_branch(repo, *further.commit));
    }
    TRY_ASSIGN(const std::int64_t unix_s, parse_utc(runs.back().run.ended));
    TRY(append_log(repo, writer.journal_ref(), lines, writer.at(unix_s), writer.key));
    return {};
}

}  // namespace cultivar
