#include "pool/index/energy_import.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "pool/index/sql.h"
#include "pool/util/text.h"

namespace cultivar {
namespace {

constexpr int kOfRun = 0, kOfVerdict = 1;
constexpr std::size_t kMostWord_bytes = 64;
constexpr std::int64_t kMostSpread = 96;  // slots of a record that tells none
constexpr double kBudgets = 4;            // as in believed_s()

const char* line_of(RunStatus status) {
    if (status == RunStatus::stopped) return "stopped";
    return status == RunStatus::done ? "search" : "failed";
}

std::string word(const std::string& text) { return std::string(cut(text, kMostWord_bytes)); }

std::int64_t unix_of(const std::string& utc) { return parse_utc(utc).value_or(0); }

}  // namespace

Result<void> EnergyImport::prepare() {
    Database& sql = database_.sql();
    TRY_ASSIGN(
        put_,
        sql.prepare("INSERT OR REPLACE INTO energy VALUES(:kind, :owner, :grp, :start_s, :length_s, :seconds, :above, "
                    ":above_low, :above_high, :gross, :gross_low, :gross_high, :known, :bytes)"));
    TRY_ASSIGN(put_group_,
               sql.prepare("INSERT OR IGNORE INTO energy_group(writer, category, operator, line, zone, method, spread) "
                           "VALUES(:writer, :category, :operator, :line, :zone, :method, :spread)"));
    TRY_ASSIGN(get_group_,
               sql.prepare("SELECT id FROM energy_group WHERE writer = :writer AND category = :category AND "
                           "operator = :operator AND line = :line AND zone = :zone AND method = :method AND "
                           "spread = :spread"));
    TRY_ASSIGN(last_, sql.prepare("SELECT last_insert_rowid()"));
    return {};
}

Result<std::int64_t> EnergyImport::last_inserted() {
    TRY_ASSIGN(const auto row, last_.first([](Row& one) { return one.whole(); }));
    return row.value_or(0);
}

Result<std::int64_t> EnergyImport::number_of(const Group& group) {
    const std::string key = fmt::format("{}\n{}\n{}\n{}\n{}\n{}\n{}", group.writer, group.category, group.operator_name,
                                        group.line, group.zone, group.method, group.is_spread);
    const auto [found, fresh] = groups_.try_emplace(key, 0);
    if (!fresh) return found->second;
    for (Statement* one : {&put_group_, &get_group_}) {
        one->bind(":writer", group.writer).bind(":category", group.category).bind(":operator", group.operator_name);
        one->bind(":line", group.line).bind(":zone", group.zone).bind(":method", group.method);
        one->bind(":spread", group.is_spread);
    }
    TRY(put_group_.run());
    TRY_ASSIGN(const auto number, get_group_.first([](Row& row) { return row.whole(); }));
    return found->second = number.value_or(0);
}

Result<void> EnergyImport::put(int kind, std::int64_t owner, const Group& group, const Slot& slot) {
    TRY_ASSIGN(const std::int64_t number, number_of(group));
    put_.bind(":kind", kind).bind(":owner", owner).bind(":grp", number);
    put_.bind(":start_s", slot.start_s).bind(":length_s", slot.length_s).bind(":seconds", slot.seconds);
    put_.bind(":above", slot.above).bind(":above_low", slot.above_low).bind(":above_high", slot.above_high);
    put_.bind(":gross", slot.gross).bind(":gross_low", slot.gross_low).bind(":gross_high", slot.gross_high);
    put_.bind(":known", slot.gross_known).bind(":bytes", slot.bytes);
    return put_.run();
}

// Domains count different parts of a machine: their joules add up, their seconds are the same ones.
Result<void> EnergyImport::put_energy(int kind, std::int64_t owner, Group group, const Energy& energy, double scale) {
    std::map<std::int64_t, Slot> slots;
    for (const EnergyDomain& domain : energy.domains) {
        const double low = scale / (1 + domain.error), high = scale * (1 + domain.error);
        for (const EnergySlot& one : domain.slots) {
            Slot& slot = slots[one.start_unix_s];
            const double above = one.gross_joules - one.idle_joules;
            slot.start_s = one.start_unix_s;
            slot.length_s = energy.slot_s;
            slot.seconds = std::max(slot.seconds, one.seconds);
            slot.above += above * scale, slot.above_low += above * low, slot.above_high += above * high;
            slot.gross += one.gross_joules * scale;
            slot.gross_low += one.gross_joules * low, slot.gross_high += one.gross_joules * high;
        }
    }
    group.method = word(energy.method);
    for (const auto& [start_s, slot] : slots) TRY(put(kind, owner, group, slot));
    return {};
}

// Evenly between start and end: older records tell nothing else. A machine without a measured idle power has no gross figure.
Result<void> EnergyImport::put_spread(int kind, std::int64_t owner, Group group, const Energy& energy, double scale) {
    const double error = error_of(energy.method);
    const std::int64_t to_s = std::max(to_s_, from_s_ + 1), span_s = to_s - from_s_;
    const std::int64_t length_s = kEnergySlot_s * (1 + span_s / (kEnergySlot_s * kMostSpread));
    const double gross = energy.joules + energy.idle_watts * wall_s_;
    group.method = energy.method.empty() ? "unknown" : word(energy.method);
    group.is_spread = true;
    for (std::int64_t at_s = from_s_; at_s < to_s;) {
        const std::int64_t start_s = at_s - at_s % length_s, end_s = std::min(start_s + length_s, to_s);
        const double part = static_cast<double>(end_s - at_s) / static_cast<double>(span_s);
        Slot slot{.start_s = start_s, .length_s = length_s, .seconds = wall_s_ * part};
        slot.above = energy.joules * part * scale;
        slot.above_low = slot.above / (1 + error), slot.above_high = slot.above * (1 + error);
        slot.gross_known = energy.idle_watts > 0;
        slot.gross = slot.gross_known ? gross * part * scale : 0;
        slot.gross_low = slot.gross / (1 + error), slot.gross_high = slot.gross * (1 + error);
        TRY(put(kind, owner, group, slot));
        at_s = end_s;
    }
    return {};
}

// A proposer's machine stands somewhere else: its zone and its idle power are unknown.
Result<void> EnergyImport::put_proposer(std::int64_t owner, Group group, const Run& run) {
    if (!run.proposer_energy) return {};
    const ProposerEnergy& call = *run.proposer_energy;
    group.line = "proposer", group.zone = "", group.method = word(call.method);
    Slot slot{.start_s = from_s_ - from_s_ % kEnergySlot_s, .length_s = kEnergySlot_s};
    slot.above = call.joules, slot.above_low = call.low, slot.above_high = call.high;
    slot.gross = call.joules, slot.gross_low = call.low, slot.gross_high = call.high;
    return put(kOfRun, owner, group, slot);
}

double EnergyImport::believed_share(const Run& run) const {
    const Clone& clone = database_.clone();
    const auto& command = clone.task.command;
    const double budget_s = run.writer == clone.writer ? run.budget_s : std::min(run.budget_s, clone.task.budget_s);
    const double limit_s = command ? command->limit_s.value_or(0) : 0;
    const double believed_s = std::min(run.wall_s, std::max(kBudgets * budget_s, limit_s) + kMostStart_s);
    return run.wall_s > believed_s ? believed_s / run.wall_s : 1;
}

Result<void> EnergyImport::take_run(const Run& run) {
    TRY_ASSIGN(const std::int64_t owner, last_inserted());
    from_s_ = unix_of(run.started), to_s_ = unix_of(run.ended), wall_s_ = run.wall_s;
    const Group group{run.writer, word(run.category), word(run.operator_name), line_of(run.status), word(run.zone), ""};
    const double scale = believed_share(run);
    TRY(run.energy.domains.empty() ? put_spread(kOfRun, owner, group, run.energy, scale)
                                   : put_energy(kOfRun, owner, group, run.energy, scale));
    if (run.network_bytes.value_or(0) > 0) {
        Group network = group;
        network.line = "network", network.method = "estimated";
        TRY(put(
            kOfRun, owner, network,
            {.start_s = from_s_ - from_s_ % kEnergySlot_s, .length_s = kEnergySlot_s, .bytes = *run.network_bytes}));
    }
    return put_proposer(owner, group, run);
}

Result<void> EnergyImport::take_verdict(const Verdict& verdict) {
    TRY_ASSIGN(const std::int64_t owner, last_inserted());
    to_s_ = unix_of(verdict.at), wall_s_ = verdict.seconds;
    from_s_ = std::max<std::int64_t>(0, to_s_ - static_cast<std::int64_t>(std::clamp(verdict.seconds, 0.0, 1e7)));
    const Group group{verdict.verifier, "", "", "verification", word(verdict.zone), ""};
    if (verdict.energy && !verdict.energy->domains.empty())
        return put_energy(kOfVerdict, owner, group, *verdict.energy, 1);
    Energy totals = verdict.energy.value_or(Energy());
    totals.joules = verdict.joules;
    return put_spread(kOfVerdict, owner, group, totals, 1);
}

}  // namespace cultivar
