#include "pool/types/task.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "pool/types/record.h"
#include "pool/types/space_successor.h"
#include "pool/util/sha256.h"
#include "pool/util/toml_table.h"

namespace cultivar {
namespace {

std::string joined(const auto& values, auto&& text) {
    std::string out;
    for (const auto& value : values) out += (out.empty() ? "" : ", ") + text(value);
    return "[" + out + "]";
}

std::string range_end(const Gene& gene, double end) {
    return gene.type == GeneType::integer ? to_toml(Value(static_cast<std::int64_t>(end))) : to_toml(Value(end));
}

std::string gene_toml(const Gene& gene) {
    std::string text = fmt::format("\n[gene.{}]\ntype = \"{}\"\ndefault = {}\n", gene.name, name(gene.type),
                                   to_toml(gene.default_value));
    if (!gene.levels.empty()) {
        text += "levels = " + joined(gene.levels, [](std::int64_t level) { return std::to_string(level); }) + "\n";
    } else if (gene.type == GeneType::integer || gene.type == GeneType::real) {
        text += fmt::format("range = [{}, {}]\n", range_end(gene, gene.low), range_end(gene, gene.high));
    }
    if (gene.type == GeneType::choice)
        text +=
            "choices = " + joined(gene.choices, [](const std::string& word) { return to_toml(Value(word)); }) + "\n";
    if (gene.log_scale) text += "log = true\n";
    if (gene.multiple_of > 1) text += fmt::format("multiple_of = {}\n", gene.multiple_of);
    if (gene.structural) text += "structural = true\n";
    if (!gene.unit.empty()) text += "unit = " + to_toml(Value(gene.unit)) + "\n";
    if (gene.since > 0) text += fmt::format("since = {}\n", gene.since);
    if (gene.when)
        text += fmt::format("when = \"{}\"\nequals = {}\n", gene.when->gene,
                            joined(gene.when->values, [](const Value& value) { return to_toml(value); }));
    if (!gene.help.empty()) text += "help = " + to_toml(Value(gene.help)) + "\n";
    return text;
}

// "<prefix>parameters<is>1000000" and so on, a line for each cap that there is.
std::string cap_lines(const UseCost& caps, const char* prefix, const char* is) {
    std::string text;
    if (caps.parameters) text += fmt::format("{}parameters{}{}\n", prefix, is, *caps.parameters);
    if (caps.forward_flops_per_token)
        text +=
            fmt::format("{}forward_flops_per_token{}{}\n", prefix, is, to_toml(Value(*caps.forward_flops_per_token)));
    if (caps.joules_per_token)
        text += fmt::format("{}joules_per_token{}{}\n", prefix, is, to_toml(Value(*caps.joules_per_token)));
    return text;
}

std::string file_toml(const PoolFile& file) {
    return fmt::format("name = {}\nsha256 = \"{}\"\n", to_toml(Value(file.name)), file.sha256) +
           (file.tokens > 0 ? fmt::format("tokens = {}\n", file.tokens) : "");
}

std::string score_toml(const ValidationPart& part) {
    return fmt::format("targets = {}\nbytes = {}\n", part.targets, part.bytes);
}

std::string data_toml(const Data& data) {
    std::string text = fmt::format("\n[data]\ntokenizer = {}\n", to_toml(Value(data.tokenizer)));
    if (!data.tokenizer_sha256.empty()) text += "tokenizer_sha256 = " + to_toml(Value(data.tokenizer_sha256)) + "\n";
    text += fmt::format("vocabulary = {}\nseparator = {}\nslice_text_bytes = {}\nfull_text_bytes = {}\n",
                        data.vocabulary, to_toml(Value(data.separator)), data.slice_text_bytes, data.full_text_bytes);
    for (const PoolSource& source : data.sources)
        text += fmt::format("\n[[data.source]]\nname = {}\nsha256 = {}\n", to_toml(Value(source.name)),
                            to_toml(Value(source.sha256)));
    for (const PoolFile& file : data.train) text += "\n[[data.train]]\n" + file_toml(file);
    text += "\n[data.slice]\n" + file_toml(data.slice) + score_toml(data.slice_score);
    text += "\n[data.full]\n" + file_toml(data.full) + score_toml(data.full_score);
    return text + "\n[data.byte_table]\n" + file_toml(data.byte_table);
}

}  // namespace

std::string task_id_text(const Task& task) {
    std::string text = fmt::format(
        "cultivar-task 1\nkind {}\nmetric {}\ndirection {}\nartifact_cap_bytes {}\n"
        "window_stride_tokens {}\n",
        task.kind, task.metric, task.direction, task.artifact_cap_bytes, task.window_stride_tokens);
    if (task.cpu_clock) text += "clock cpu\n";
    text += cap_lines(task.caps, "cap ", " ");
    if (task.data) {
        text += fmt::format("tokenizer {} {}\nbyte_table {}\n", task.data->tokenizer, task.data->tokenizer_sha256,
                            task.data->byte_table.sha256);
        for (const PoolFile& file : task.data->train) text += fmt::format("train {}\n", file.sha256);
        text += fmt::format("slice {}\nfull {}\n", task.data->slice.sha256, task.data->full.sha256);
    }
    if (task.command) text += command_lines(*task.command);
    std::map<std::string, std::string> defaults;
    for (const Gene& gene : task.space.genes()) {
        if (gene.since == 0) defaults[gene.name] = to_toml(gene.default_value);
    }
    for (const auto& [gene, value] : defaults) text += fmt::format("gene {} {}\n", gene, value);
    return text;
}

void Task::share_surface() {
    if (command && command->surface) space.set_surface(std::make_shared<const Surface>(*command->surface));
}

std::string Task::id() const { return sha256_hex(task_id_text(*this)); }

std::string to_toml(const Task& task) {
    std::string caps = cap_lines(task.caps, "", " = ");
    if (!caps.empty()) caps = "\n[caps]\n" + caps;
    std::string text = fmt::format(
        "# A pool of cultivar: one task, its search space and its rules. Ranges may widen and genes may be added "
        "(with\n"
        "# `since`); a gene's name, type and default never change.\n"
        "# A table [caps] may limit what a model costs to use: parameters, forward_flops_per_token, joules_per_token; "
        "it "
        "is\n# settled before data are imported.\n"
        "format = {}\nname = {}\ncreated = {}\n\n"
        "[task]\nkind = {}\nmetric = {}\ndirection = {}\n{}{}budget_s = {}\nartifact_cap_bytes = {}\n"
        "window_stride_tokens = {}\n{}\n"
        "[record]\nmin_gain_nats = {}\np_value = {}\nmin_seeds = {}\n\n[verify]\nshare = {}\n",
        task.format, to_toml(Value(task.name)), to_toml(Value(task.created)), to_toml(Value(task.kind)),
        to_toml(Value(task.metric)), to_toml(Value(task.direction)), task.noiseless ? "noise = \"none\"\n" : "",
        task.cpu_clock ? "clock = \"cpu\"\n" : "", to_toml(Value(task.budget_s)), task.artifact_cap_bytes,
        task.window_stride_tokens, caps, to_toml(Value(task.record_min_gain_nats)), to_toml(Value(task.record_p_value)),
        task.record_min_seeds, to_toml(Value(task.verify_share)));
    if (task.command) text += command_toml(*task.command);
    for (const Gene& gene : task.space.genes()) text += gene_toml(gene);
    for (const Constraint& constraint : task.space.constraints()) {
        text += fmt::format("\n[[constraint]]\nkind = \"{}\"\nleft = \"{}\"\nright = \"{}\"\n",
                            constraint.kind == Constraint::Kind::multiple ? "multiple" : "at_most", constraint.left,
                            constraint.right);
        if (constraint.factor != 1) text += fmt::format("factor = {}\n", constraint.factor);
    }
    if (task.data) text += data_toml(*task.data);
    if (task.command) text += data_files_toml(task.command->data);
    return text;
}

Result<void> may_follow(const Task& now, const Task& next) {
    TRY(may_follow(now.space, next.space));
    if (next.created != now.created) return fail(Code::corrupt, "pool.toml changed the pool's creation time");
    if (now.data && next.id() != now.id())
        return fail(Code::corrupt, "pool.toml changed its task id: scores would not be comparable");
    return {};
}

std::vector<std::string> changed_terms(const Task& before, const Task& now) {
    std::vector<std::string> changes;
    if (now.budget_s != before.budget_s)
        changes.push_back(fmt::format("a run trains for {:g} s instead of {:g} s", now.budget_s, before.budget_s));
    if (now.verify_share != before.verify_share)
        changes.push_back(fmt::format("verification may take {:g} % of the search instead of {:g} %",
                                      100 * now.verify_share, 100 * before.verify_share));
    if (now.noiseless != before.noiseless)
        changes.emplace_back(now.noiseless ? "runs of one candidate are said to score alike: none runs twice"
                                           : "runs of one candidate need not score alike any more: some run again");
    if (now.record_min_gain_nats != before.record_min_gain_nats)
        changes.push_back(fmt::format("a record gains {:g} nats at least instead of {:g}", now.record_min_gain_nats,
                                      before.record_min_gain_nats));
    if (now.record_p_value != before.record_p_value)
        changes.push_back(fmt::format("a record has a p-value of {:g} at most instead of {:g}", now.record_p_value,
                                      before.record_p_value));
    if (now.record_min_seeds != before.record_min_seeds)
        changes.push_back(
            fmt::format("a record takes {} seeds instead of {}", now.record_min_seeds, before.record_min_seeds));
    return changes;
}

}  // namespace cultivar
