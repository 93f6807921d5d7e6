#include "pool/index.h"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "pool/digest.h"
#include "pool/intake.h"
#include "pool/journal.h"
#include "pool/segment_log.h"

namespace cultivar {
namespace {

constexpr int kSchema = 2;

constexpr const char* kTables = R"(
CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE IF NOT EXISTS log(ref TEXT PRIMARY KEY, tip TEXT, records INTEGER);
CREATE TABLE IF NOT EXISTS record(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, type TEXT, writer TEXT, candidate TEXT,
    category TEXT, at TEXT, status TEXT, decision TEXT, score REAL, seen_s INTEGER, line TEXT, refused TEXT,
    rejected INTEGER DEFAULT 0, parameters INTEGER, flops REAL, joules REAL);
CREATE INDEX IF NOT EXISTS record_candidate ON record(candidate, category);
CREATE INDEX IF NOT EXISTS record_type ON record(type, seq);
CREATE TABLE IF NOT EXISTS claim_run(claim TEXT, run TEXT, PRIMARY KEY(claim, run));
CREATE TABLE IF NOT EXISTS candidate(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, toml TEXT, parents TEXT);
CREATE TABLE IF NOT EXISTS candidate_commit(oid TEXT PRIMARY KEY, candidate TEXT);
CREATE INDEX IF NOT EXISTS commit_candidate ON candidate_commit(candidate);
CREATE TABLE IF NOT EXISTS branch(ref TEXT PRIMARY KEY, oid TEXT, refused TEXT);
CREATE TABLE IF NOT EXISTS verdict(seq INTEGER PRIMARY KEY, id TEXT UNIQUE, claim TEXT, verifier TEXT, result TEXT,
    at TEXT, seconds REAL, joules REAL, line TEXT);
CREATE INDEX IF NOT EXISTS verdict_claim ON verdict(claim);
)";

constexpr const char* kDrop = R"(
DROP TABLE IF EXISTS meta; DROP TABLE IF EXISTS log; DROP TABLE IF EXISTS record; DROP TABLE IF EXISTS claim_run;
DROP TABLE IF EXISTS candidate; DROP TABLE IF EXISTS candidate_commit; DROP TABLE IF EXISTS branch;
DROP TABLE IF EXISTS verdict;
)";

struct Tip {
    Oid oid;
    std::size_t records = 0;
};

// <state>/tips: "<oid> <records> <ref>", one a line.
std::map<std::string, Tip> read_tips(const Clone& clone) {
    std::map<std::string, Tip> tips;
    auto text = read_file(clone.state_dir + "tips");
    std::istringstream lines(text ? *text : "");
    Tip tip;
    for (std::string ref; lines >> tip.oid >> tip.records >> ref;) tips[ref] = tip;
    return tips;
}

Result<void> write_tips(const Clone& clone, const std::map<std::string, Tip>& tips) {
    std::string text;
    for (const auto& [ref, tip] : tips) text += fmt::format("{} {} {}\n", tip.oid, tip.records, ref);
    return write_file_atomically(clone.state_dir + "tips", text);
}

bool is_writer(const std::string& name) {
    std::size_t last = name.rfind('.'), first = name.find('.');
    if (first == std::string::npos || first == last || first == 0) return false;
    return is_hex(std::string_view(name).substr(last + 1), 8) &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-.") == std::string::npos;
}

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

// Whose key signed the tip: "" for an unsigned one. Errors: corrupt.
Result<std::string> signer_of(const Repo& repo, const Oid& tip) {
    TRY_ASSIGN(auto signature, repo.signature(tip));
    if (!signature) return std::string();
    return verify_signature(signature->first, signature->second);
}

}  // namespace

struct Index::LogSource {
    std::string ref, writer;
    Oid tip;
    bool ledger = false;
};

Result<Index> Index::open(Clone& clone) {
    std::string path = clone.state_dir + "index.sqlite";
    auto attempt = [&]() -> Result<Index> {
        TRY_ASSIGN(Database database, Database::open(path));
        Index index(clone, std::move(database));
        TRY_ASSIGN(index.report_, index.refresh());
        return index;
    };
    auto index = attempt();
    if (index || index.error().code != Code::corrupt) return index;
    std::error_code ec;
    for (const char* tail : {"", "-wal", "-shm"}) std::filesystem::remove(path + tail, ec);
    return attempt();
}

Result<void> Index::prepare_schema() {
    TRY(db_.execute(kTables));
    std::string now = fmt::format("{} {}", kSchema, sha256_hex(to_toml(clone_->task) + clone_->task_id));
    TRY_ASSIGN(Statement get, db_.prepare("SELECT value FROM meta WHERE key = 'pool'"));
    TRY_ASSIGN(bool there, get.step());
    if (there && get.text(0) == now) return {};
    get.reset();
    TRY(db_.execute(kDrop));
    TRY(db_.execute(kTables));
    TRY_ASSIGN(Statement set, db_.prepare("INSERT INTO meta VALUES('pool', ?)"));
    return set.bind(1, now).run();
}

Result<RefreshReport> Index::refresh() {
    RefreshReport report;
    lineage_ = std::make_unique<Lineage>(clone_->repo, clone_->task);
    made_.clear();
    TRY_ASSIGN(Transaction transaction, Transaction::begin(db_));
    TRY(prepare_schema());
    TRY_ASSIGN(Statement count, db_.prepare("SELECT COUNT(DISTINCT writer) FROM record"));
    TRY(count.step());
    auto contributors = count.whole(0);
    count.reset();
    TRY(refresh_branches(report));
    TRY(refresh_logs(report));
    TRY(refresh_spool(report));
    TRY(apply_rejections());
    TRY(count.step());
    report.contributors = static_cast<int>(count.whole(0) - contributors);
    count.reset();
    TRY(transaction.commit());
    return report;
}

Result<void> Index::refresh_logs(RefreshReport& report) {
    const std::string remote = fmt::format("refs/remotes/{}/", kRemote);
    for (bool ledger : {false, true}) {
        const std::string kind = ledger ? "ledger/" : "journal/";
        const std::string own = ledger ? clone_->ledger_ref() : clone_->journal_ref();
        TRY_ASSIGN(std::optional<Oid> tip, clone_->repo.ref(own));
        if (tip) TRY(refresh_log({own, clone_->writer, *tip, ledger}, report));
        TRY_ASSIGN(std::vector<Ref> refs, clone_->repo.refs(remote + kind));
        for (const Ref& ref : refs) {
            std::string writer = ref.name.substr(remote.size() + kind.size());
            if (writer == clone_->writer && tip) continue;  // the local branch holds all of it and more
            if (is_writer(writer)) {
                TRY(refresh_log({ref.name, writer, ref.oid, ledger}, report));
            } else {
                report.refused.push_back({ref.name, "is not a writer's name"});
            }
        }
    }
    return {};
}

// May this log be followed from where it was last seen? Errors: corrupt, with the reason.
Result<void> Index::check_log(const LogSource& source, const Oid& seen, std::size_t seen_records) {
    TRY_ASSIGN(std::string key, signer_of(clone_->repo, source.tip));
    if (key.substr(0, 8) != source.writer.substr(source.writer.size() - 8))
        return fail(Code::corrupt,
                    key.empty() ? "is not signed by its writer" : "is signed by another key than its name says");
    if (source.ledger) {
        TRY_ASSIGN(std::optional<std::string> text, clone_->repo.file(clone_->main, "allowed_signers", 1 << 20));
        TRY_ASSIGN(std::vector<AllowedSigner> allowed, parse_allowed_signers(text.value_or("")));
        auto trusted = [&](const AllowedSigner& signer) { return signer.fingerprint == key; };
        if (std::none_of(allowed.begin(), allowed.end(), trusted))
            return fail(Code::corrupt, "is not signed by a verifier of this pool (allowed_signers on main)");
    }
    if (seen.empty() || seen == source.tip) return {};
    auto extends = check_extends(clone_->repo, seen, seen_records, source.tip);
    if (!extends) return fail(Code::corrupt, extends.error().message + " since it was last seen");
    return {};
}

Result<void> Index::refresh_log(const LogSource& source, RefreshReport& report) {
    TRY_ASSIGN(Statement get, db_.prepare("SELECT tip, records FROM log WHERE ref = ?"));
    TRY_ASSIGN(bool known, get.bind(1, source.ref).step());
    std::size_t have = known ? static_cast<std::size_t>(get.whole(1)) : 0;
    if (known && get.text(0) == source.tip) return {};
    get.reset();
    auto tips = read_tips(*clone_);
    Tip& seen = tips[source.ref];
    if (!seen.oid.empty() && !clone_->repo.has_object(seen.oid)) seen = {};
    Oid tip = source.tip;
    auto good = check_log(source, seen.oid, seen.records);
    auto lines = good ? read_log(clone_->repo, tip, have) : fail(good.error());
    if (!lines) {
        report.refused.push_back({source.ref, lines.error().message});
        if (seen.oid.empty() || seen.oid == tip || !source.ref.starts_with("refs/remotes/")) return {};
        // Back to where it was good: nothing is lost, and a repaired remote can be followed again.
        TRY(clone_->repo.set_ref(source.ref, seen.oid, tip));
        tip = seen.oid;
        lines = read_log(clone_->repo, tip, have);
        if (!lines) return {};
    }
    for (const std::string& line : *lines) {
        if (source.ledger) {
            TRY(take_verdict(line, source.writer, report));
        } else {
            TRY(take_line(line, source.writer, report));
        }
    }
    seen = {tip, have + lines->size()};
    TRY_ASSIGN(Statement set, db_.prepare("INSERT OR REPLACE INTO log VALUES(?, ?, ?)"));
    TRY(set.bind(1, source.ref).bind(2, tip).bind(3, static_cast<std::int64_t>(seen.records)).run());
    return write_tips(*clone_, tips);
}

Result<void> Index::refresh_spool(RefreshReport& report) {
    TRY_ASSIGN(std::vector<std::string> lines, spooled_lines(*clone_));
    for (const std::string& line : lines) TRY(take_line(line, clone_->writer, report));
    return {};
}

Result<void> Index::take_line(const std::string& line, const std::string& writer, RefreshReport& report) {
    std::string id = record_id(line);
    TRY_ASSIGN(Statement put,
               db_.prepare("INSERT OR IGNORE INTO record(id, type, writer, candidate, category, at, status, "
                           "decision, score, seen_s, line, refused, parameters, flops, joules) "
                           "VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"));
    put.bind(1, id).bind(3, writer).bind(10, std::int64_t{std::time(nullptr)}).bind(11, line);
    auto record = parse_line(line);
    std::string refused;
    std::vector<std::string> parents;
    std::string candidate, toml;
    int* counter = nullptr;
    if (!record) {
        refused = record.error().message;
        put.bind(2, "unreadable");
    } else if (auto* run = std::get_if<Run>(&*record)) {
        put.bind(2, "run")
            .bind(4, run->candidate)
            .bind(5, run->category)
            .bind(6, run->ended)
            .bind(7, name(run->status));
        put.bind(8, name(run->decision));
        if (run->val_bpb) put.bind(9, *run->val_bpb);
        const UseCost cost = use_cost(*run);
        if (cost.parameters) put.bind(13, *cost.parameters);
        if (cost.forward_flops_per_token) put.bind(14, *cost.forward_flops_per_token);
        if (cost.joules_per_token) put.bind(15, *cost.joules_per_token);
        auto good = check_run(clone_->task, clone_->task_id, *run, writer);
        if (!good) refused = good.error().message;
        candidate = run->candidate, toml = run->toml, parents = run->parents;
        counter = &report.runs;
    } else if (auto* claim = std::get_if<Claim>(&*record)) {
        put.bind(2, "claim")
            .bind(4, claim->candidate)
            .bind(5, claim->category)
            .bind(6, claim->at)
            .bind(9, claim->val_bpb);
        auto good = check_claim(clone_->task, clone_->task_id, *claim, writer);
        if (!good) refused = good.error().message;
        candidate = claim->candidate, toml = claim->toml, parents = claim->parents;
        counter = &report.claims;
    } else {
        auto& lease = std::get<Lease>(*record);
        put.bind(2, "lease").bind(4, lease.candidate).bind(5, lease.category).bind(6, lease.at);
        auto good = check_lease(clone_->task_id, lease, writer);
        if (!good) refused = good.error().message;
    }
    if (!refused.empty()) {
        put.bind(12, refused);
    } else {
        // A copy in another's journal, met first and refused, does not stand in the owner's way.
        TRY_ASSIGN(Statement copy, db_.prepare("DELETE FROM record WHERE id = ? AND refused IS NOT NULL"));
        TRY(copy.bind(1, id).run());
    }
    TRY(put.run());
    if (db_.changes() == 0) return {};
    if (auto* claim = record ? std::get_if<Claim>(&*record) : nullptr) {
        TRY_ASSIGN(Statement link, db_.prepare("INSERT OR IGNORE INTO claim_run VALUES(?, ?)"));
        for (const std::string& run : claim->runs) TRY(link.bind(1, id).bind(2, run).run());
    }
    if (!refused.empty()) {
        report.refused.push_back({fmt::format("a record of {} ({})", writer, id.substr(0, 8)), refused});
        return {};
    }
    if (counter) ++*counter;
    if (candidate.empty()) return {};
    TRY_ASSIGN(bool fresh, take_candidate(candidate, toml, parents));
    if (fresh) ++report.candidates;
    return {};
}

Result<void> Index::take_verdict(const std::string& line, const std::string& verifier, RefreshReport& report) {
    auto verdict = parse_verdict(line);
    if (verdict && verdict->task != clone_->task_id) return {};
    if (!verdict || verdict->verifier != verifier) {
        std::string why =
            verdict ? fmt::format("names '{}' as its verifier", verdict->verifier) : verdict.error().message;
        report.refused.push_back({"a verdict of " + verifier, why});
        return {};
    }
    TRY_ASSIGN(Statement put,
               db_.prepare("INSERT OR IGNORE INTO verdict(id, claim, verifier, result, at, seconds, joules, "
                           "line) VALUES(?,?,?,?,?,?,?,?)"));
    put.bind(1, record_id(line))
        .bind(2, verdict->claim)
        .bind(3, verifier)
        .bind(4, verdict->result)
        .bind(5, verdict->at);
    TRY(put.bind(6, verdict->seconds).bind(7, verdict->joules).bind(8, line).run());
    report.verdicts += static_cast<int>(db_.changes());
    return {};
}

Result<bool> Index::take_candidate(const std::string& id, const std::string& toml,
                                   const std::vector<std::string>& parents) {
    TRY_ASSIGN(Statement put, db_.prepare("INSERT OR IGNORE INTO candidate(id, toml, parents) VALUES(?, ?, ?)"));
    TRY(put.bind(1, id).bind(2, toml).bind(3, joined(parents)).run());
    return db_.changes() > 0;
}

Result<void> Index::refresh_branches(RefreshReport& report) {
    for (const std::string& prefix :
         {std::string("refs/heads/candidates/"), fmt::format("refs/remotes/{}/candidates/", kRemote)}) {
        TRY_ASSIGN(std::vector<Ref> refs, clone_->repo.refs(prefix));
        TRY_ASSIGN(Statement get, db_.prepare("SELECT 1 FROM branch WHERE ref = ? AND oid = ?"));
        TRY_ASSIGN(Statement put, db_.prepare("INSERT OR REPLACE INTO branch VALUES(?, ?, NULL)"));
        for (const Ref& ref : refs) {
            TRY_ASSIGN(bool known, get.bind(1, ref.name).bind(2, ref.oid).step());
            get.reset();
            if (known) continue;
            auto named = parse_candidate_branch(ref.name);
            auto read = lineage_->read(ref.oid);
            std::string wrong = !named                                  ? "is not a candidate's branch"
                                : named->second != ref.oid.substr(0, 8) ? "points to another commit than its name says"
                                : !read                                 ? read.error().message
                                : read->candidate.id != named->first    ? "holds another candidate than its name says"
                                                                        : "";
            if (!wrong.empty()) {
                TRY(take_refused_branch(ref, wrong, report));
                continue;
            }
            TRY(take_commit(ref.oid, report));
            TRY(put.bind(1, ref.name).bind(2, ref.oid).run());
        }
    }
    return {};
}

Result<void> Index::take_refused_branch(const Ref& ref, const std::string& reason, RefreshReport& report) {
    TRY_ASSIGN(Statement put, db_.prepare("INSERT OR REPLACE INTO branch VALUES(?, ?, ?)"));
    report.refused.push_back({ref.name, reason});
    return put.bind(1, ref.name).bind(2, ref.oid).bind(3, reason).run();
}

Result<void> Index::take_commit(const Oid& tip, RefreshReport& report) {
    TRY_ASSIGN(Statement get, db_.prepare("SELECT 1 FROM candidate_commit WHERE oid = ?"));
    TRY_ASSIGN(Statement put, db_.prepare("INSERT OR IGNORE INTO candidate_commit VALUES(?, ?)"));
    // Ancestors enter before their descendants: a candidate's parents are known when it is.
    std::vector<Oid> todo = {tip};
    while (!todo.empty()) {
        const Oid oid = todo.back();
        TRY_ASSIGN(CandidateCommit commit, lineage_->read(oid));
        std::vector<std::string> parents;
        for (const Oid& parent : commit.parents) {
            TRY_ASSIGN(bool known, get.bind(1, parent).step());
            get.reset();
            if (!known) todo.push_back(parent);
            TRY_ASSIGN(CandidateCommit from, lineage_->read(parent));
            parents.push_back(from.candidate.id);
        }
        if (todo.back() != oid) continue;
        todo.pop_back();
        TRY_ASSIGN(bool fresh, take_candidate(commit.candidate.id, commit.candidate.toml, parents));
        if (fresh) ++report.candidates;
        TRY(put.bind(1, oid).bind(2, commit.candidate.id).run());
    }
    return {};
}

// The runs of a rejected claim no longer count, if its own writer made them.
Result<void> Index::apply_rejections() {
    return db_.execute(R"(
UPDATE record SET rejected = 0 WHERE rejected = 1;
UPDATE record SET rejected = 1 WHERE type = 'run' AND id IN (
    SELECT claim_run.run FROM record AS claim JOIN claim_run ON claim_run.claim = claim.id
    WHERE claim.type = 'claim' AND claim.writer = record.writer AND 'rejected' = (
        SELECT result FROM verdict WHERE verdict.claim = claim.id AND verdict.verifier <> claim.writer
        ORDER BY at DESC, verdict.seq DESC LIMIT 1));
)");
}

}  // namespace cultivar
