#include "pool/index/record_import.h"
#include "pool/types/energy_error.h"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "pool/index/derived_tables.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr std::size_t kRunAfter = 8;      // records after a lease among which its run is looked for
constexpr std::size_t kBatchLines = 512;  // read, then checked on all cores, then written
constexpr std::size_t kBatchBytes = 4 << 20;
constexpr int kMostTold = 20;           // refused records of one writer in one refresh; the rest is counted
constexpr std::size_t kMostText = 256;  // bytes of a text that a record is free to make as long as it likes

constexpr const char* kPutRecord = R"(
INSERT OR IGNORE INTO record(id, type, writer, candidate, category, at, status, decision, score, budget_s, wall_s,
    search_joules, operator, steps, parents, artifact, artifact_run, seen_s, segment, place, line, refused, parameters,
    flops, joules, source, reason, proposer, proposer_s, proposer_usd, tokens, train_s, replicate,
    energy_error)
VALUES(:id, :type, :writer, :candidate, :category, :at, :status, :decision, :score, :budget_s, :wall_s,
    :search_joules, :operator, :steps, :parents, :artifact, :artifact_run, :seen_s, :segment, :place, :line, :refused,
    :parameters, :flops, :joules, :source, :reason, :proposer, :proposer_s, :proposer_usd, :tokens, :train_s, :replicate,
    :energy_error)
)";
constexpr const char* kPutVerdict = R"(
INSERT OR IGNORE INTO verdict(id, claim, verifier, key, result, word, tier, waits, at, seconds, joules, record, first,
    earns, line, energy_error)
VALUES(:id, :claim, :verifier, :key, :result, :word, :tier, :waits, :at, :seconds, :joules, :record, :first, :earns, :line,
    :energy_error)
)";

std::string joined(const std::vector<std::string>& words) { return fmt::format("{}", fmt::join(words, " ")); }

int LogTally::*kind_of(const Record& record) {
    if (const auto* run = std::get_if<Run>(&record)) {
        const bool failure = run->status == RunStatus::failed || run->status == RunStatus::unfit;
        return failure ? &LogTally::failures : &LogTally::runs;
    }
    if (std::holds_alternative<Claim>(record)) return &LogTally::claims;
    return std::holds_alternative<Lease>(record) ? &LogTally::leases : &LogTally::retirements;
}

// Counts a record; false: its writer has as many of this kind as one may have.
bool take_number(LogTally& tally, const Record& record, bool any_number) {
    int LogTally::*const kind = kind_of(record);
    for (const auto& [limited, most] : kMostOfAWriter) {
        if (limited != kind || any_number || tally.*kind < most) continue;
        ++tally.passed_over;
        return false;
    }
    ++(tally.*kind);
    return true;
}

// Does the run of this lease follow it? Nearly every old lease is over, and no query needs it, unless it was here before
// its run: it tells who was first.
bool is_over(const std::vector<RawLine>& lines, const std::vector<CheckedLine>& checked,
             const std::vector<RecordImport::Origin>& origins, std::size_t at) {
    const Lease* lease = checked[at].record ? std::get_if<Lease>(&*checked[at].record) : nullptr;
    if (!lease || !checked[at].refused.empty()) return false;
    for (std::size_t i = at + 1; i < std::min(at + 1 + kRunAfter, checked.size()); ++i) {
        const Run* run = checked[i].record ? std::get_if<Run>(&*checked[i].record) : nullptr;
        if (run && run->candidate == lease->candidate && run->replicate == lease->replicate &&
            lines[i].writer == lease->writer)
            return origins[i].seen_s == origins[at].seen_s;
    }
    return false;
}

}  // namespace

Result<void> RecordImport::prepare() {
    const std::pair<Statement*, const char*> statements[] = {
        {&put_, kPutRecord},
        {&refused_copy_, "SELECT 1 FROM record WHERE id = :id AND refused IS NOT NULL"},
        {&forget_, "DELETE FROM record WHERE id = :id"},
        {&link_, "INSERT OR IGNORE INTO claim_run VALUES(:claim, :run)"},
        {&segment_, "INSERT OR IGNORE INTO segment(blob) VALUES(:blob)"},
        {&known_segment_, "SELECT number FROM segment WHERE blob = :blob"},
        {&writer_, "INSERT OR IGNORE INTO writer(name, key, turn) VALUES(:name, :key, :turn)"},
        {&dirty_, "INSERT OR IGNORE INTO dirty VALUES(:candidate)"},
        {&candidate_,
         "INSERT OR IGNORE INTO candidate(id, toml, said, belief, said_s, said_turn) "
         "VALUES(:id, :toml, :said, :belief, :seen_s, :turn)"},
        {&sooner_,
         "UPDATE candidate SET said = :said, parents = '', belief = :belief, said_s = :seen_s, said_turn = :turn "
         "WHERE id = :id AND (belief < :belief OR belief = :belief AND (said_s, said_turn) > (:seen_s, :turn))"},
        {&believe_,
         "UPDATE candidate SET said = :said, parents = :said, belief = :belief "
         "WHERE id = :id AND belief < :belief"},
        {&verdict_, kPutVerdict},
        {&known_, "SELECT 1 FROM record WHERE id = :id"},
        {&get_linked_, "SELECT made_runs, named_runs FROM writer WHERE name = :name"},
        {&set_linked_,
         "UPDATE writer SET made_runs = made_runs + :runs, named_runs = named_runs + :links WHERE name = :name"},
        {&rerun_,
         "INSERT OR IGNORE INTO rerun(claim, key, seed, score, seconds) VALUES(:claim, :key, :seed, :score, "
         ":seconds)"},
    };
    for (const auto& [statement, sql] : statements) {
        TRY_ASSIGN(*statement, database_.sql().prepare(sql));
    }
    return energy_.prepare();
}

void RecordImport::add(RawLine line, Origin origin) {
    waiting_.bytes += line.text.size();
    waiting_.lines.push_back(std::move(line));
    waiting_.origins.push_back(std::move(origin));
}

Result<void> RecordImport::pass_on() {
    const bool many = waiting_.lines.size() >= kBatchLines || waiting_.bytes >= kBatchBytes;
    return many ? check_waiting() : Result<void>();
}

Result<void> RecordImport::flush() {
    TRY(check_waiting());
    TRY(check_waiting());
    report_refused();
    return save_links();
}

// Of records with a content, some are told one by one; of others, one for each reason.
void RecordImport::tell_refused(const std::string& what, const CheckedLine& line) {
    // The name of a later type is as anybody writes it.
    const std::string reason = line.fault == Fault::later ? "needs a newer cultivar" : line.refused;
    Refused& same = refused_[{what, line.record ? "" : reason}];
    same.reason = line.record ? "fails its checks too" : reason;
    if (++same.count <= (line.record ? kMostTold : 1))
        report_.refuse(fmt::format("a {} ({})", what, line.id.substr(0, 8)), line.refused);
}

void RecordImport::report_refused() {
    for (const auto& [key, refused] : refused_) {
        const int more = refused.count - (key.second.empty() ? kMostTold : 1);
        if (more > 0) report_.refuse(fmt::format("{} times more a {}", more, key.first), refused.reason);
    }
    refused_.clear();
}

// Starts checking the waiting batch in the background, and writes the batch that was checked meanwhile.
Result<void> RecordImport::check_waiting() {
    Batch next = std::exchange(waiting_, {});
    next.checked = std::async(std::launch::async, [this, lines = std::span<const RawLine>(next.lines)] {
        return check_lines(database_.clone().task, database_.clone().task_id, lines);
    });
    std::swap(next, checking_);
    return take_batch(next);
}

Result<void> RecordImport::take_batch(Batch& batch) {
    if (!batch.checked.valid()) return {};
    const auto checked = batch.checked.get();
    for (std::size_t i = 0; i < batch.lines.size(); ++i) {
        if (!is_over(batch.lines, checked, batch.origins, i)) TRY(take(batch.lines[i], checked[i], batch.origins[i]));
    }
    return {};
}

Result<std::set<std::string>> RecordImport::unknown(const std::vector<std::string>& records) {
    std::set<std::string> ids;
    if (records.empty()) return ids;
    TRY_ASSIGN(Statement get, database_.sql().prepare("SELECT value FROM json_each(:ids) WHERE NOT EXISTS "
                                                      "(SELECT 1 FROM record WHERE id = value)"));
    const std::string list = fmt::format("[\"{}\"]", fmt::join(records, "\",\""));  // ids are hexadecimal
    TRY(get.bind(":ids", list).each([&](Row& row) { ids.insert(row.text()); }));
    return ids;
}

Result<std::int64_t> RecordImport::segment_number(const Oid& blob) {
    if (blob == last_blob_) return last_number_;
    TRY(segment_.bind(":blob", blob).run());
    TRY_ASSIGN(auto number, known_segment_.bind(":blob", blob).first([](Row& row) { return row.whole(); }));
    last_blob_ = blob;
    last_number_ = number.value_or(0);
    return last_number_;
}

Result<void> RecordImport::bind_origin(const RawLine& raw, const Origin& from) {
    put_.bind(":writer", raw.writer).bind(":seen_s", seen_s(from));
    if (!from.source.empty()) put_.bind(":source", from.source);
    if (from.blob.empty()) {
        put_.bind(":line", raw.text);
        return {};
    }
    TRY_ASSIGN(std::int64_t number, segment_number(from.blob));
    put_.bind(":segment", number).bind(":place", from.place);
    return {};
}

void RecordImport::bind(const Run& run) {
    put_.bind(":type", "run").bind(":candidate", run.candidate).bind(":category", run.category);
    put_.bind(":at", std::min(run.ended, met_at_)).bind(":status", name(run.status));
    put_.bind(":decision", name(run.decision))
        .bind(":operator", cut(run.operator_name, kMostText))
        .bind(":parents", joined(run.parents));
    put_.bind(":score", run.status == RunStatus::stopped ? run.expected_bpb : run.val_bpb);
    put_.bind(":budget_s", run.budget_s).bind(":wall_s", run.wall_s).bind(":search_joules", run.energy.joules);
    put_.bind(":energy_error", error_of(run.energy));
    put_.bind(":steps", run.steps).bind(":tokens", run.tokens).bind(":train_s", run.train_s);
    put_.bind(":replicate", run.replicate).bind(":artifact", run.artifact);
    if (run.status == RunStatus::unfit) put_.bind(":reason", cut(run.reason, kMostText));
    const UseCost cost = use_cost(run);
    put_.bind(":parameters", cost.parameters).bind(":flops", cost.forward_flops_per_token);
    put_.bind(":joules", cost.joules_per_token);
    if (run.proposer.empty()) return;
    put_.bind(":proposer", cut(run.proposer, kMostText)).bind(":proposer_s", run.proposer_seconds);
    put_.bind(":proposer_usd", run.proposer_usd.value_or(0));
}

void RecordImport::bind(const Claim& claim) {
    put_.bind(":type", "claim").bind(":candidate", claim.candidate).bind(":category", claim.category);
    put_.bind(":at", claim.at).bind(":score", claim.val_bpb).bind(":parents", joined(claim.parents));
    put_.bind(":artifact", claim.artifact).bind(":artifact_run", claim.artifact_run);
}

void RecordImport::bind(const Lease& lease) {
    put_.bind(":type", "lease").bind(":candidate", lease.candidate).bind(":category", cut(lease.category, kMostText));
    put_.bind(":at", lease.at).bind(":budget_s", lease.budget_s).bind(":replicate", lease.replicate);
}

void RecordImport::bind(const Retirement& retirement, const std::string& key) {
    put_.bind(":type", "retirement").bind(":candidate", retirement.candidate).bind(":at", retirement.at);
    put_.bind(":status", retirement.retired ? "retired" : "back").bind(":operator", key);
    put_.bind(":reason", cut(retirement.reason, kMostText));
}

void RecordImport::bind_record(const Record& record, const std::string& key) {
    if (const auto* run = std::get_if<Run>(&record)) bind(*run);
    if (const auto* claim = std::get_if<Claim>(&record)) bind(*claim);
    if (const auto* lease = std::get_if<Lease>(&record)) bind(*lease);
    if (const auto* retirement = std::get_if<Retirement>(&record)) bind(*retirement, key);
}

// False: the record is there already.
Result<bool> RecordImport::insert(const std::string& id, bool counts) {
    TRY(put_.run());
    if (database_.sql().changes() > 0) return true;
    if (!counts) return false;
    // A copy in another writer's journal that was met first and refused must not keep the owner's out.
    TRY_ASSIGN(bool refused, refused_copy_.bind(":id", id).any());
    if (!refused) return false;
    TRY(forget_.bind(":id", id).run());
    TRY(put_.run());
    TRY(recount_totals(database_));
    return true;
}

Result<void> RecordImport::take_writer(const std::string& name, const Origin& from) {
    if (name == last_writer_) return {};  // records of one writer lie together
    TRY(writer_.bind(":name", name).bind(":key", from.key).bind(":turn", from.turn).run());
    report_.contributors += static_cast<int>(database_.sql().changes());
    last_writer_ = name;
    return {};
}

// Of strangers' words on a candidate's parents the one that was seen first stands.
Result<void> RecordImport::take_content(const auto& record, const Origin& from) {
    const std::string parents = joined(record.parents);
    const int stranger = static_cast<int>(Belief::stranger);
    candidate_.bind(":id", record.candidate).bind(":toml", record.toml).bind(":said", parents);
    TRY(candidate_.bind(":belief", stranger).bind(":seen_s", seen_s(from)).bind(":turn", from.turn).run());
    const auto made = database_.sql().changes();
    report_.candidates += static_cast<int>(made);
    if (from.key == own_key_) {
        believe_.bind(":id", record.candidate).bind(":said", parents);
        return believe_.bind(":belief", static_cast<int>(Belief::own_record)).run();
    }
    if (made > 0) return {};
    sooner_.bind(":id", record.candidate).bind(":said", parents).bind(":belief", stranger);
    return sooner_.bind(":seen_s", seen_s(from)).bind(":turn", from.turn).run();
}

Result<RecordImport::Linked*> RecordImport::linked(const std::string& writer) {
    const auto [found, fresh] = linked_.try_emplace(writer);
    if (!fresh) return &found->second;
    TRY_ASSIGN(const auto known, get_linked_.bind(":name", writer).first([](Row& row) {
        const std::int64_t runs = row.whole();
        return Linked{runs, row.whole()};
    }));
    if (known) found->second = *known;
    return &found->second;
}

Result<void> RecordImport::save_links() {
    for (auto& [name, one] : linked_) {
        if (one.new_runs == 0 && one.new_links == 0) continue;
        TRY(set_linked_.bind(":name", name).bind(":runs", one.new_runs).bind(":links", one.new_links).run());
        one.new_runs = one.new_links = 0;
    }
    return {};
}

Result<bool> RecordImport::names_too_many_runs(const std::string& writer, const std::string& id, const Claim& claim) {
    TRY_ASSIGN(const Linked* now, linked(writer));
    const auto links = now->links + static_cast<std::int64_t>(claim.runs.size());
    if (links <= kFreeLinks + kLinksPerRun * now->runs) return false;
    TRY_ASSIGN(const bool known, known_.bind(":id", id).any());
    return !known;
}

Result<void> RecordImport::take(const RawLine& raw, const CheckedLine& line, const Origin& from) {
    if (from.tally->is_full()) return {};
    const auto* claim = line.record && line.refused.empty() ? std::get_if<Claim>(&*line.record) : nullptr;
    if (claim == nullptr) return take_checked(raw, line, from);
    TRY_ASSIGN(const bool too_many, names_too_many_runs(raw.writer, line.id, *claim));
    if (!too_many) return take_checked(raw, line, from);
    CheckedLine over = line;
    over.refused = "the claims of its writer name far more runs than it has published";
    over.fault = Fault::rubbish;
    return take_checked(raw, over, from);
}

Result<void> RecordImport::take_checked(const RawLine& raw, const CheckedLine& line, const Origin& from) {
    LogTally& tally = *from.tally;
    // Of what is no record, or of no concern here, only the number is kept.
    tally.rubbish += line.fault == Fault::rubbish;
    if (!line.record || line.fault == Fault::other_task) {
        const int run_of_other_task = line.record && std::holds_alternative<Run>(*line.record);
        report_.other_task += run_of_other_task;
        tally.unreadable += line.fault == Fault::rubbish;
        tally.later += line.fault == Fault::later;
        tally.other_task += run_of_other_task;
        if (!line.record) tell_refused("record of " + raw.writer, line);
        return {};
    }
    put_.clear().bind(":id", line.id);
    TRY(bind_origin(raw, from));
    const bool counts = line.refused.empty();
    if (counts || line.fault == Fault::unfit) {
        if (!take_number(tally, *line.record, from.any_number)) return {};
    }
    if (!counts) put_.bind(":refused", line.refused);
    bind_record(*line.record, from.key);
    TRY_ASSIGN(bool fresh, insert(line.id, counts));
    if (!fresh) return {};
    const auto* run = std::get_if<Run>(&*line.record);
    if (run && counts) TRY(energy_.take_run(*run));
    TRY(take_writer(raw.writer, from));
    if (!counts) tell_refused("record of " + raw.writer, line);
    const auto* claim = std::get_if<Claim>(&*line.record);
    if (counts && (run || claim)) {
        TRY_ASSIGN(Linked* const writer, linked(raw.writer));
        std::int64_t& number = run ? writer->runs : writer->links;
        const auto more = run ? 1 : static_cast<std::int64_t>(claim->runs.size());
        number += more;
        (run ? writer->new_runs : writer->new_links) += more;
    }
    if (counts && claim) {
        for (const std::string& one : claim->runs) TRY(link_.bind(":claim", line.id).bind(":run", one).run());
    }
    if ((run || claim) && !database_.is_new())
        TRY(dirty_.bind(":candidate", run ? run->candidate : claim->candidate).run());
    return counts ? take_counted(*line.record, from) : Result<void>();
}

Result<void> RecordImport::take_counted(const Record& record, const Origin& from) {
    if (const auto* lease = std::get_if<Lease>(&record)) {
        ++report_.leases;
        report_.leased = lease->candidate;
    }
    if (std::holds_alternative<Retirement>(record)) ++report_.retirements;
    if (const auto* run = std::get_if<Run>(&record)) {
        ++report_.runs;
        return take_content(*run, from);
    }
    if (const auto* claim = std::get_if<Claim>(&record)) {
        ++report_.claims;
        return take_content(*claim, from);
    }
    return {};
}

Result<void> RecordImport::take_verdict(const std::string& line, const std::string& verifier, const std::string& key,
                                        LogTally& tally) {
    if (tally.is_full()) return {};
    auto verdict = parse_verdict(line);
    if (verdict && verdict->task != database_.clone().task_id) return {};
    if (!verdict || verdict->verifier != verifier) {
        std::string why =
            verdict ? fmt::format("names '{}' as its verifier", verdict->verifier) : verdict.error().message;
        if (!verdict && verdict.error().code == Code::newer)
            ++tally.later;
        else
            ++tally.rubbish, ++tally.unreadable;
        tell_refused("verdict of " + verifier, {record_id(line), std::nullopt, std::string(cut(why, kMostText))});
        return {};
    }
    verdict_.bind(":id", record_id(line)).bind(":claim", verdict->claim).bind(":verifier", verifier);
    verdict_.bind(":key", key).bind(":result", name(verdict->result)).bind(":word", word(*verdict));
    verdict_.bind(":tier", name(verdict->tier)).bind(":waits", owes_rerun(*verdict));
    verdict_.bind(":at", verdict->at);
    verdict_.bind(":seconds", verdict->seconds).bind(":joules", verdict->joules);
    verdict_.bind(":energy_error", verdict->energy ? error_of(*verdict->energy) : error_of("estimated"));
    verdict_.bind(":record", verdict->record && verdict->record->accepted);
    verdict_.bind(":first", verdict->first).bind(":earns", verdict->earns).bind(":line", line);
    TRY(verdict_.run());
    const bool is_new = database_.sql().changes() > 0;
    report_.verdicts += is_new;
    if (is_new) TRY(energy_.take_verdict(*verdict));
    for (const Rerun& one : verdict->reruns) {
        rerun_.bind(":claim", verdict->claim).bind(":key", key).bind(":seconds", one.seconds);
        TRY(rerun_.bind(":seed", std::to_string(one.seed)).bind(":score", one.val_bpb).run());
    }
    return dirty_.bind(":candidate", verdict->candidate).run();
}

}  // namespace cultivar
