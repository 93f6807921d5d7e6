#include "pool/lineage/candidate_commits.h"

#include <algorithm>

#include <fmt/format.h>

#include "pool/types/record.h"
#include "pool/util/sha256.h"
#include "pool/util/short_id.h"

namespace cultivar {
namespace {

constexpr std::size_t kRecent = 2048;            // commits kept in memory with all their genes, and nodes
constexpr std::size_t kMostRefused = 1'000'000;  // commits of one history

}  // namespace

Result<void> ensure_candidate_branch(Repo& repo, const CandidateCommit& commit) {
    std::string ref = "refs/heads/" + candidate_branch(commit.candidate.id, commit.oid);
    TRY_ASSIGN(std::optional<Oid> there, repo.ref(ref));
    if (!there) TRY(repo.set_ref(ref, commit.oid, ""));
    return {};
}

const char* const Lineage::kTable = R"(
CREATE TABLE IF NOT EXISTS candidate_commit(node INTEGER PRIMARY KEY, oid TEXT UNIQUE, candidate TEXT, parent INTEGER,
    other_parent INTEGER, shared INTEGER DEFAULT 0);
CREATE INDEX IF NOT EXISTS commit_candidate ON candidate_commit(candidate);
CREATE TABLE IF NOT EXISTS source(sha256 TEXT PRIMARY KEY, object TEXT) WITHOUT ROWID;
)";
const char* const Lineage::kDropTable = "DROP TABLE IF EXISTS candidate_commit; DROP TABLE IF EXISTS source;";

Lineage::Lineage(Repo& repo, const Task& task, Database* kept_in)
    : repo_(repo), task_(task), task_id_(task.id()), db_(kept_in) {}

Result<void> Lineage::prepare() {
    if (find_) return {};
    if (!db_) {
        TRY_ASSIGN(Database memory, Database::open(":memory:"));
        own_db_.emplace(std::move(memory));
        db_ = &*own_db_;
        TRY(db_->execute(kTable));
        TRY(db_->execute("BEGIN"));  // nobody else looks: nothing is ever committed
    }
    TRY_ASSIGN(Statement name, db_->prepare("SELECT oid FROM candidate_commit WHERE node = :node"));
    TRY_ASSIGN(Statement insert, db_->prepare("INSERT INTO candidate_commit(oid, candidate, parent, other_parent) "
                                              "VALUES(:oid, :candidate, :parent, :other_parent) "
                                              "ON CONFLICT(oid) DO NOTHING"));  // another process was first
    TRY_ASSIGN(Statement find, db_->prepare("SELECT node FROM candidate_commit WHERE oid = :oid"));
    TRY_ASSIGN(Statement kin, db_->prepare("SELECT one.candidate, a.oid, a.candidate, b.oid, b.candidate FROM "
                                           "candidate_commit AS one LEFT JOIN candidate_commit AS a ON a.node = "
                                           "one.parent LEFT JOIN candidate_commit AS b ON b.node = one.other_parent "
                                           "WHERE one.oid = :oid"));
    TRY_ASSIGN(Statement object, db_->prepare("SELECT object FROM source WHERE sha256 = :sha256"));
    TRY_ASSIGN(Statement put, db_->prepare("INSERT OR REPLACE INTO source VALUES(:sha256, :object)"));
    object_ = std::move(object), put_object_ = std::move(put);
    kin_ = std::move(kin);
    name_ = std::move(name), insert_ = std::move(insert), find_ = std::move(find);
    return {};
}

Result<Ancestry::Node> Lineage::node_of(const Oid& commit) {
    if (auto found = nodes_.find(commit); found != nodes_.end()) return found->second;
    TRY(prepare());
    TRY_ASSIGN(bool there, find_->bind(":oid", commit).step());
    auto node = there ? static_cast<Ancestry::Node>(find_->whole(0)) : 0;
    find_->reset();
    if (nodes_.size() >= kRecent) nodes_.clear();
    if (node != 0) nodes_.emplace(commit, node);
    return node;
}

Result<Oid> Lineage::oid_of(Ancestry::Node node) {
    TRY(prepare());
    TRY_ASSIGN(bool there, name_->bind(":node", node).step());
    Oid oid = there ? name_->text(0) : "";
    name_->reset();
    return oid;
}

Result<std::optional<Lineage::Kin>> Lineage::kin_of(const Oid& commit) {
    TRY(prepare());
    std::optional<Kin> kin;
    TRY_ASSIGN(bool there, kin_->bind(":oid", commit).step());
    if (there) {
        kin.emplace().candidate = kin_->text(0);
        for (const int column : {1, 3}) {
            if (kin_->is_null(column)) continue;
            kin->parents.push_back(kin_->text(column));
            kin->parent_candidates.push_back(kin_->text(column + 1));
        }
    }
    kin_->reset();
    return kin;
}

Result<void> Lineage::adopt(Lineage& other) {
    TRY(prepare());
    TRY(other.prepare());
    TRY_ASSIGN(Statement all, other.db_->prepare("SELECT node, oid, candidate, parent, other_parent FROM "
                                                 "candidate_commit ORDER BY node"));
    TRY_ASSIGN(Statement put, db_->prepare("INSERT INTO candidate_commit(node, oid, candidate, parent, other_parent) "
                                           "VALUES(:node, :oid, :candidate, :parent, :other_parent)"));
    for (;;) {
        TRY_ASSIGN(bool row, all.step());
        if (!row) break;
        put.bind(":node", all.whole(0)).bind(":oid", all.text(1)).bind(":candidate", all.text(2));
        TRY(put.bind(":parent", all.whole(3)).bind(":other_parent", all.whole(4)).run());
    }
    ancestry_.reset();
    refused_.merge(other.refused_);
    TRY_ASSIGN(Statement sources, other.db_->prepare("SELECT sha256, object FROM source"));
    SourceBlobs blobs;
    TRY(sources.each([&](Row& row) {
        std::string sha256 = row.text();
        blobs[std::move(sha256)] = row.text();
    }));
    return keep_source(blobs);
}

Result<void> Lineage::keep(const CandidateCommit& made) {
    std::array<Ancestry::Node, 2> parents{};
    for (std::size_t i = 0; i < made.parents.size(); ++i) {
        TRY_ASSIGN(parents[i], node_of(made.parents[i]));
    }
    insert_->bind(":oid", made.oid).bind(":candidate", made.candidate.id);
    TRY(insert_->bind(":parent", parents[0]).bind(":other_parent", parents[1]).run());
    if (recent_.size() >= kRecent) recent_.clear();
    recent_.insert_or_assign(made.oid, made);
    return {};
}

// With all nodes that are in the table by now: other processes, and other jobs of this one, put theirs there too.
Result<const Ancestry*> Lineage::ancestry() {
    TRY(prepare());
    if (!ancestry_) ancestry_.emplace();
    TRY_ASSIGN(Statement more, db_->prepare("SELECT parent, other_parent FROM candidate_commit WHERE node > :known "
                                            "ORDER BY node"));
    more.bind(":known", static_cast<std::int64_t>(ancestry_->size()));
    for (;;) {
        TRY_ASSIGN(bool row, more.step());
        if (!row) break;
        ancestry_->add(static_cast<Ancestry::Node>(more.whole(0)), static_cast<Ancestry::Node>(more.whole(1)));
    }
    return &*ancestry_;
}

// Reads a commit with a known node.
Result<CandidateCommit> Lineage::known(const Oid& commit) {
    if (auto found = recent_.find(commit); found != recent_.end()) return found->second;
    TRY_ASSIGN(Commit raw, repo_.read_commit(commit));
    TRY_ASSIGN(Candidate candidate, content(raw, commit));
    if (recent_.size() >= kRecent) recent_.clear();
    return recent_.emplace(commit, CandidateCommit{commit, std::move(candidate), raw.parents, raw.author.unix_s})
        .first->second;
}

Result<CandidateCommit> Lineage::read(const Oid& commit) {
    std::vector<Visit> todo = {{commit}};
    if (auto done = read_all(todo); !done) {
        remember_refusal(todo, done.error());
        return fail(done.error());
    }
    return known(commit);
}

// Ancestors first, without recursion: a hostile history may be deep.
Result<void> Lineage::read_all(std::vector<Visit>& todo) {
    while (!todo.empty()) {
        const Oid next = todo.back().commit;
        if (const auto refused = refused_.find(next); refused != refused_.end()) return fail(*refused->second);
        TRY_ASSIGN(Ancestry::Node node, node_of(next));
        if (node != 0) {
            todo.pop_back();
            continue;
        }
        TRY_ASSIGN(Commit raw, repo_.read_commit(next));
        if (raw.parents.size() > 2) return fail(Code::corrupt, fmt::format("commit {} has too many parents", next));
        todo.back().waits_for_parents = true;
        const std::size_t before = todo.size();
        for (const Oid& parent : raw.parents) {
            TRY_ASSIGN(Ancestry::Node from, node_of(parent));
            if (from == 0) todo.push_back({parent});
        }
        if (todo.size() > kMostRefused) return fail(Code::corrupt, "a history that is too deep");
        if (todo.size() > before) continue;
        TRY_ASSIGN(CandidateCommit good, check(next, raw));
        TRY(keep(good));
        todo.pop_back();
    }
    return {};
}

// Any number of refs may lead into one long history that is none of candidates: it is walked once. The last commit was
// refused, and those that wait for their parents descend from it.
void Lineage::remember_refusal(const std::vector<Visit>& todo, const Error& why) {
    const bool may_pass = why.code == Code::io || why.code == Code::busy || why.reason == Reason::bad_index;
    if (may_pass || todo.empty()) return;
    if (refused_.size() + todo.size() > 2 * kMostRefused) refused_.clear();
    const auto shared = std::make_shared<const Error>(why);
    for (const Visit& visit : todo) {
        if (visit.waits_for_parents) refused_.emplace(visit.commit, shared);
    }
    refused_.emplace(todo.back().commit, shared);
}

Result<Candidate> Lineage::content(const Commit& raw, const Oid& commit) {
    auto candidate = candidate_of_tree(repo_, task_.space, task_id_, raw.tree);
    if (!candidate && candidate.error().code == Code::corrupt)
        return fail(Code::corrupt, fmt::format("commit {}: {}", commit, candidate.error().message));
    return candidate;
}

Result<CandidateCommit> Lineage::check(const Oid& commit, const Commit& raw) {
    TRY_ASSIGN(Candidate candidate, content(raw, commit));
    SourceBlobs blobs;
    if (!candidate.files.empty()) {
        const Surface& surface = *task_.space.surface();
        const auto known = [&](const std::string& path, const std::string& sha256) -> Result<std::optional<Oid>> {
            const bool good_there = surface.between.empty() || good_at_.contains({path, sha256});
            return good_there ? object_of(sha256) : std::optional<Oid>();
        };
        auto checked = check_source(repo_, surface, candidate, raw.tree, known);
        if (!checked) return fail(checked.error().code, fmt::format("commit {}: {}", commit, checked.error().message));
        blobs = std::move(*checked);
        if (good_at_.size() >= kKnownObjects) good_at_.clear();
        if (!surface.between.empty()) good_at_.insert(candidate.files.begin(), candidate.files.end());
    }
    for (Unrelated unrelated : {Unrelated::over_defaults, Unrelated::over_nothing}) {
        TRY_ASSIGN(Plan again, plan(candidate, blobs, raw.parents, unrelated));
        if (again.made.oid == commit) {
            TRY(keep_source(blobs));
            return std::move(again.made);
        }
        if (raw.parents.size() < 2) break;
    }
    constexpr std::string_view kTrailer = "\nCandidate: ";
    const std::size_t trailer = raw.message.rfind(kTrailer);
    const std::string named = trailer == std::string::npos ? "" : raw.message.substr(trailer + kTrailer.size());
    // Of an earlier task of this pool, say: the same genes had another name there.
    if (named.size() == candidate.id.size() + 1 && named.back() == '\n' && !named.starts_with(candidate.id))
        return fail(Code::corrupt, fmt::format("commit {} belongs to another task", commit), "", Reason::other_task);
    return fail(Code::corrupt, fmt::format("commit {} is not the commit of its candidate and parents", commit));
}

Result<CandidateCommit> Lineage::write(const Candidate& candidate, std::vector<Oid> parents) {
    std::sort(parents.begin(), parents.end());
    for (const Oid& parent : parents) TRY(read(parent));
    TRY_ASSIGN(const SourceBlobs blobs, blobs_of(candidate));
    TRY_ASSIGN(Plan planned, plan(candidate, blobs, parents, Unrelated::over_defaults));
    TRY(write_candidate_tree(repo_, candidate, blobs));
    TRY(repo_.write_commit(planned.commit));
    TRY_ASSIGN(Ancestry::Node node, node_of(planned.made.oid));
    if (node == 0) TRY(keep(planned.made));
    return std::move(planned.made);
}

Result<Lineage::Plan> Lineage::plan(const Candidate& candidate, const SourceBlobs& blobs,
                                    const std::vector<Oid>& parents, Unrelated unrelated) {
    std::vector<CandidateCommit> from;
    TRY_ASSIGN(std::int64_t unix_s, parse_utc(task_.created));
    for (const Oid& parent : parents) {
        TRY_ASSIGN(CandidateCommit one, known(parent));
        unix_s = std::max(unix_s, one.unix_s + 1);
        from.push_back(std::move(one));
    }
    TRY_ASSIGN(std::string message, message_of(candidate, from, unrelated));
    Commit commit{name_of_candidate_tree(candidate, blobs),
                  parents,
                  {kCandidateAuthor, kCandidateEmail, unix_s},
                  std::move(message)};
    return Plan{{Repo::name_of_commit(commit), candidate, parents, unix_s}, std::move(commit)};
}

Result<std::string> Lineage::message_of(const Candidate& candidate, const std::vector<CandidateCommit>& parents,
                                        Unrelated unrelated) {
    std::string trailer = fmt::format("Candidate: {}\n", candidate.id);
    if (parents.size() == 2) {
        std::string subject =
            fmt::format("cross of {} and {}\n\n", short_id(parents[0].candidate.id), short_id(parents[1].candidate.id));
        TRY_ASSIGN(const std::vector<CandidateCommit> bases, bases_of(parents[0].oid, parents[1].oid));
        auto merge = merged(parents[0], parents[1], bases, unrelated, candidate.files);
        // Two parents also mark a child that a person merged by hand: then the message tells the child alone.
        if (merge && merge->child.id == candidate.id)
            return subject + cross_lines(*merge, parents[0].candidate, parents[1].candidate) + trailer;
        std::string text =
            fmt::format("merge of {} and {}\n\n", short_id(parents[0].candidate.id), short_id(parents[1].candidate.id));
        return text + candidate.toml + "\n" + trailer;
    }
    Candidate defaults;
    if (parents.empty()) defaults.genes = task_.space.defaults();
    auto changes = candidate_changes(task_.space, parents.empty() ? defaults : parents[0].candidate, candidate);
    std::string subject = subject_of(changes);
    std::string text = (parents.empty() ? "root: " : "") + subject + "\n\n";
    for (const GeneChange& change : changes) text += change_text({change}) + "\n";
    return text + (changes.empty() ? "" : "\n") + trailer;
}

Result<std::vector<CandidateCommit>> Lineage::bases_of(const Oid& a, const Oid& b) {
    TRY_ASSIGN(Ancestry::Node one, node_of(a));
    TRY_ASSIGN(Ancestry::Node two, node_of(b));
    TRY_ASSIGN(const Ancestry* graph, ancestry());
    std::vector<Oid> names;
    for (Ancestry::Node node : graph->merge_bases(one, two)) {
        TRY_ASSIGN(names.emplace_back(), oid_of(node));
    }
    std::sort(names.begin(), names.end());
    if (names.size() > kMaxCrossBases) names.resize(kMaxCrossBases);
    std::vector<CandidateCommit> bases;
    for (const Oid& name : names) {
        TRY_ASSIGN(bases.emplace_back(), known(name));
    }
    return bases;
}

Result<Cross> Lineage::cross_of(const Oid& a, const Oid& b) {
    TRY_ASSIGN(const CandidateCommit one, read(a));
    TRY_ASSIGN(const CandidateCommit two, read(b));
    TRY_ASSIGN(const std::vector<CandidateCommit> bases, bases_of(a, b));
    std::vector<SourceFiles> base_files;
    for (const CandidateCommit& base : bases) base_files.push_back(base.candidate.files);
    auto files = merge_files(one.candidate.files, two.candidate.files, base_files,
                             [this](const FileVersions& file) { return merged_file(file); });
    if (!files && files.error().code == Code::unfit)
        return fail(Code::unfit, fmt::format("the cross of {} and {}: {}", short_id(one.candidate.id),
                                             short_id(two.candidate.id), files.error().message));
    if (!files) return fail(files.error());
    return merged(one, two, bases, Unrelated::over_defaults, std::move(*files));
}

Result<Cross> Lineage::merged(const CandidateCommit& a, const CandidateCommit& b,
                              const std::vector<CandidateCommit>& bases, Unrelated unrelated, SourceFiles files) {
    std::vector<std::pair<Oid, Genes>> base_genes;
    for (const CandidateCommit& base : bases) base_genes.emplace_back(base.oid, base.candidate.genes);
    if (bases.empty() && unrelated == Unrelated::over_defaults) {
        TRY_ASSIGN(base_genes.emplace_back(), defaults_base(task_.space));
    }
    return cross(task_.space, task_id_, {a.oid, a.candidate}, {b.oid, b.candidate}, std::move(base_genes),
                 std::move(files));
}

}  // namespace cultivar
