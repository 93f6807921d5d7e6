#include "pool/types/task.h"

#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "pool/types/record.h"
#include "pool/util/sha256.h"
#include "pool/util/toml_table.h"

namespace cultivar {
namespace {

constexpr double kMostShare = 1000;  // of the search that verification may take: a tiny pool may check it all

Result<std::vector<std::int64_t>> whole_numbers(TomlTable& table, const TomlEntry& entry) {
    std::vector<std::int64_t> out;
    for (const Value& value : entry.values) {
        auto* whole = std::get_if<std::int64_t>(&value);
        if (!whole) return fail(table.wrong(entry, "a list of whole numbers was expected"));
        out.push_back(*whole);
    }
    return out;
}

Result<void> read_range(TomlTable& table, const std::string& key, Gene& gene) {
    const TomlEntry* entry = table.take(key);
    if (!entry) return {};
    std::vector<double> ends;
    for (const Value& value : entry->values) {
        if (auto* whole = std::get_if<std::int64_t>(&value)) ends.push_back(static_cast<double>(*whole));
        if (auto* real = std::get_if<double>(&value)) ends.push_back(*real);
    }
    bool finite = std::all_of(ends.begin(), ends.end(), [](double end) { return std::isfinite(end); });
    if (entry->values.size() != 2 || ends.size() != 2 || !finite || ends[0] > ends[1])
        return fail(table.wrong(*entry, "'range' takes [low, high]"));
    gene.low = ends[0];
    gene.high = ends[1];
    return {};
}

Result<Gene> read_gene(TomlTable& table, const std::string& name) {
    Gene gene;
    gene.name = name;
    const std::string at = "gene." + name + ".";
    std::string type;
    TRY(table.read(at + "type", type, true));
    constexpr std::array kTypes = {GeneType::integer, GeneType::real, GeneType::boolean, GeneType::choice};
    auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](GeneType one) { return cultivar::name(one) == type; });
    if (found == kTypes.end())
        return fail(table.wrong(*table.take(at + "type"),
                                fmt::format("'{}' is no type: integer, real, boolean, choice", type)));
    gene.type = *found;
    const TomlEntry* value = table.take(at + "default");
    if (!value || value->is_array)
        return fail(Code::usage, fmt::format("{}: gene '{}' has no default", table.where(), name));
    gene.default_value = value->values.front();
    TRY(read_range(table, at + "range", gene));
    TRY(table.read(at + "log", gene.log_scale));
    TRY(table.read(at + "multiple_of", gene.multiple_of));
    TRY(table.read(at + "structural", gene.structural));
    TRY(table.read(at + "since", gene.since));
    TRY(table.read(at + "unit", gene.unit));
    TRY(table.read(at + "help", gene.help));
    if (const TomlEntry* levels = table.take(at + "levels")) {
        TRY_ASSIGN(gene.levels, whole_numbers(table, *levels));
        if (gene.levels.empty() || !std::is_sorted(gene.levels.begin(), gene.levels.end()))
            return fail(table.wrong(*levels, "'levels' takes ascending whole numbers"));
        gene.low = static_cast<double>(gene.levels.front());
        gene.high = static_cast<double>(gene.levels.back());
    }
    if (const TomlEntry* choices = table.take(at + "choices")) {
        for (const Value& choice : choices->values) {
            auto* word = std::get_if<std::string>(&choice);
            if (!word) return fail(table.wrong(*choices, "'choices' takes words"));
            gene.choices.push_back(*word);
        }
    }
    if (const TomlEntry* when = table.take(at + "when")) {
        const TomlEntry* equals = table.take(at + "equals");
        auto* on = when->is_array ? nullptr : std::get_if<std::string>(&when->values.front());
        if (!on || !equals) return fail(table.wrong(*when, "'when' names a gene and needs 'equals'"));
        gene.when = Condition{*on, equals->values};
    }
    return gene;
}

// Gene names in order of their position in the file: "gene.<name>.<key>" without the first and last part.
std::vector<std::string> declared_genes(const std::vector<TomlEntry>& entries) {
    std::vector<std::string> names;
    for (const TomlEntry& entry : entries) {
        if (entry.path.size() < 3 || entry.path.front() != "gene") continue;
        std::string name = entry.dotted(1);
        name.resize(name.rfind('.'));
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
    return names;
}

Result<std::vector<Constraint>> read_constraints(TomlTable& table) {
    std::vector<Constraint> constraints;
    for (int i = 0;; ++i) {
        std::string at = fmt::format("constraint.{}.", i), kind;
        const TomlEntry* entry = table.take(at + "kind");
        if (!entry) return constraints;
        Constraint constraint;
        TRY(table.read(at + "kind", kind, true));
        TRY(table.read(at + "left", constraint.left, true));
        TRY(table.read(at + "right", constraint.right, true));
        TRY(table.read(at + "factor", constraint.factor));
        if (kind == "at_most") {
            constraint.kind = Constraint::Kind::at_most;
        } else if (kind != "multiple") {
            return fail(table.wrong(*entry, fmt::format("'{}' is no kind of constraint: multiple, at_most", kind)));
        }
        constraints.push_back(std::move(constraint));
    }
}

Result<void> read_file(TomlTable& table, const std::string& at, PoolFile& file) {
    TRY(table.read(at + "name", file.name, true));
    TRY(table.read(at + "sha256", file.sha256, true));
    TRY(table.read(at + "tokens", file.tokens));
    bool plain = !file.name.empty() && file.name.front() != '.' && file.name.find('/') == std::string::npos;
    if (plain && is_hex(file.sha256, 64)) return {};
    return fail(Code::usage, fmt::format("{}: '{}' is not a data file with a digest", table.where(), at + "name"));
}

// Words that stand in a line of the task id.
bool on_one_line(const std::string& word) {
    return std::ranges::none_of(word, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

Result<Data> read_data(TomlTable& table) {
    Data data;
    TRY(table.read("data.tokenizer", data.tokenizer, true));
    TRY(table.read("data.tokenizer_sha256", data.tokenizer_sha256));
    TRY(table.read("data.vocabulary", data.vocabulary, true));
    TRY(table.read("data.separator", data.separator));
    TRY(table.read("data.slice_text_bytes", data.slice_text_bytes));
    TRY(table.read("data.full_text_bytes", data.full_text_bytes));
    for (int i = 0; table.take(fmt::format("data.source.{}.name", i)); ++i) {
        PoolSource source;
        TRY(table.read(fmt::format("data.source.{}.name", i), source.name, true));
        TRY(table.read(fmt::format("data.source.{}.sha256", i), source.sha256, true));
        data.sources.push_back(std::move(source));
    }
    for (int i = 0; table.take(fmt::format("data.train.{}.name", i)); ++i) {
        PoolFile file;
        TRY(read_file(table, fmt::format("data.train.{}.", i), file));
        data.train.push_back(std::move(file));
    }
    TRY(read_file(table, "data.slice.", data.slice));
    TRY(read_file(table, "data.full.", data.full));
    TRY(read_file(table, "data.byte_table.", data.byte_table));
    TRY(table.read("data.slice.targets", data.slice_score.targets, true));
    TRY(table.read("data.slice.bytes", data.slice_score.bytes, true));
    TRY(table.read("data.full.targets", data.full_score.targets, true));
    TRY(table.read("data.full.bytes", data.full_score.bytes, true));
    bool sizes = data.vocabulary > 0 && data.vocabulary <= 65536 && data.slice_score.targets > 0 &&
                 data.slice_score.bytes > 0 && data.full_score.targets > 0 && data.full_score.bytes > 0;
    if (!on_one_line(data.tokenizer) || !on_one_line(data.tokenizer_sha256))
        return fail(Code::usage, table.where() + ": 'data.tokenizer' holds a control character");
    if (!sizes || data.train.empty()) return fail(Code::usage, table.where() + ": [data] has sizes out of range");
    return data;
}

Result<UseCost> read_caps(TomlTable& table) {
    UseCost caps;
    TRY(table.read("caps.parameters", caps.parameters));
    TRY(table.read("caps.forward_flops_per_token", caps.forward_flops_per_token));
    TRY(table.read("caps.joules_per_token", caps.joules_per_token));
    return caps;
}

Result<void> check_ranges(const Task& task, const std::string& where) {
    auto refuse = [&](const char* key) {
        return fail(Code::usage, fmt::format("{}: '{}' is out of range", where, key));
    };
    if (!on_one_line(task.kind)) return refuse("task.kind");
    if (!on_one_line(task.metric)) return refuse("task.metric");
    // Written so that NaN fails.
    if (!(task.budget_s >= 1 && task.budget_s <= 1e7)) return refuse("task.budget_s");
    if (task.artifact_cap_bytes < 1 || task.artifact_cap_bytes > 100'000'000) return refuse("task.artifact_cap_bytes");
    if (task.window_stride_tokens != 0) return refuse("task.window_stride_tokens");
    constexpr double kMost = 1e18;
    const UseCost& caps = task.caps;
    if (caps.parameters && *caps.parameters < 1) return refuse("caps.parameters");
    if (caps.forward_flops_per_token && !(*caps.forward_flops_per_token > 0 && *caps.forward_flops_per_token <= kMost))
        return refuse("caps.forward_flops_per_token");
    if (caps.joules_per_token && !(*caps.joules_per_token > 0 && *caps.joules_per_token <= kMost))
        return refuse("caps.joules_per_token");
    if (task.direction != "minimize" && task.direction != "maximize") return refuse("task.direction");
    if (!(task.verify_share > 0 && task.verify_share <= kMostShare)) return refuse("verify.share");
    if (!(task.record_min_gain_nats >= 0 && task.record_min_gain_nats <= 100)) return refuse("record.min_gain_nats");
    if (!(task.record_p_value > 0 && task.record_p_value < 1)) return refuse("record.p_value");
    if (task.record_min_seeds < 2 || task.record_min_seeds > 1000) return refuse("record.min_seeds");
    if (!parse_utc(task.created)) return refuse("created");
    return {};
}

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

// A command has a table that says which, and its score is what is to become smaller.
Result<void> take_command(TomlTable& table, Task& task) {
    if (task.kind != kCommandKind) return {};
    TRY_ASSIGN(task.command, read_command(table));
    if (task.direction == "minimize") return {};
    return fail(Code::usage,
                fmt::format("{}: a command's score is minimised: let it give the negative", table.where()));
}

}  // namespace

std::string task_id_text(const Task& task) {
    std::string text = fmt::format(
        "cultivar-task 1\nkind {}\nmetric {}\ndirection {}\nartifact_cap_bytes {}\n"
        "window_stride_tokens {}\n",
        task.kind, task.metric, task.direction, task.artifact_cap_bytes, task.window_stride_tokens);
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
        "[task]\nkind = {}\nmetric = {}\ndirection = {}\nbudget_s = {}\nartifact_cap_bytes = {}\n"
        "window_stride_tokens = {}\n{}\n"
        "[record]\nmin_gain_nats = {}\np_value = {}\nmin_seeds = {}\n\n[verify]\nshare = {}\n",
        kPoolFormat, to_toml(Value(task.name)), to_toml(Value(task.created)), to_toml(Value(task.kind)),
        to_toml(Value(task.metric)), to_toml(Value(task.direction)), to_toml(Value(task.budget_s)),
        task.artifact_cap_bytes, task.window_stride_tokens, caps, to_toml(Value(task.record_min_gain_nats)),
        to_toml(Value(task.record_p_value)), task.record_min_seeds, to_toml(Value(task.verify_share)));
    if (task.command) text += command_toml(*task.command);
    for (const Gene& gene : task.space.genes()) text += gene_toml(gene);
    for (const Constraint& constraint : task.space.constraints()) {
        text += fmt::format("\n[[constraint]]\nkind = \"{}\"\nleft = \"{}\"\nright = \"{}\"\n",
                            constraint.kind == Constraint::Kind::multiple ? "multiple" : "at_most", constraint.left,
                            constraint.right);
        if (constraint.factor != 1) text += fmt::format("factor = {}\n", constraint.factor);
    }
    if (task.data) text += data_toml(*task.data);
    return text;
}

Result<Task> parse_task(std::string_view toml, const std::string& where, const Task* draft) {
    TRY_ASSIGN(std::vector<TomlEntry> entries, read_toml(toml, where));
    std::vector<std::string> names = declared_genes(entries);
    TomlTable table(std::move(entries), where);
    const bool whole = draft == nullptr;
    std::int64_t format = whole ? 0 : kPoolFormat;
    TRY(table.read("format", format, whole));
    if (format > kPoolFormat)
        return fail(Code::newer, fmt::format("{}: format {} needs a newer cultivar", where, format));
    Task task = whole ? Task() : *draft;
    TRY(table.read("name", task.name, whole));
    TRY(table.read("created", task.created, whole));
    TRY(table.read("task.kind", task.kind, whole));
    TRY(table.read("task.metric", task.metric, whole));
    TRY(table.read("task.direction", task.direction));
    TRY(table.read("task.budget_s", task.budget_s));
    TRY(table.read("task.artifact_cap_bytes", task.artifact_cap_bytes));
    TRY(table.read("task.window_stride_tokens", task.window_stride_tokens));
    TRY_ASSIGN(task.caps, read_caps(table));
    TRY(table.read("record.min_gain_nats", task.record_min_gain_nats));
    TRY(table.read("record.p_value", task.record_p_value));
    TRY(table.read("record.min_seeds", task.record_min_seeds));
    TRY(table.read("verify.share", task.verify_share));
    TRY(check_ranges(task, where));
    TRY(take_command(table, task));
    std::vector<Gene> genes;
    for (const std::string& name : names) {
        TRY_ASSIGN(Gene gene, read_gene(table, name));
        genes.push_back(std::move(gene));
    }
    TRY_ASSIGN(std::vector<Constraint> constraints, read_constraints(table));
    auto space = Space::make(std::move(genes), std::move(constraints));
    if (!space) return fail(Code::usage, fmt::format("{}: {}", where, space.error().message));
    task.space = std::move(*space);
    if (table.take("data.tokenizer")) {
        TRY_ASSIGN(task.data, read_data(table));
    }
    TRY(table.finish());
    return task;
}

Result<void> may_follow(const Task& now, const Task& next) {
    for (const Gene& gene : now.space.genes()) {
        const Gene* successor = next.space.find(gene.name);
        if (!successor) return fail(Code::corrupt, fmt::format("pool.toml lost the gene '{}'", gene.name));
        if (successor->type != gene.type || !(successor->default_value == gene.default_value) ||
            successor->since != gene.since)
            return fail(Code::corrupt, fmt::format("pool.toml changed the type or default of '{}'", gene.name));
    }
    if (next.created != now.created) return fail(Code::corrupt, "pool.toml changed the pool's creation time");
    if (now.data && next.id() != now.id())
        return fail(Code::corrupt, "pool.toml changed what makes scores comparable (its task id)");
    return {};
}

}  // namespace cultivar
