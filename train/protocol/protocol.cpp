#include "train/protocol/protocol.h"

#include <algorithm>
#include <optional>

#include "train/protocol/json_fields.h"
#include "train/protocol/json_numbers.h"

namespace cultivar {
namespace {

constexpr std::int64_t kMaxThreads = 4096;
constexpr std::int64_t kMaxVocabulary = 65536;

std::string_view name(Specification::Mode mode) {
    switch (mode) {
        case Specification::Mode::train:
            return "train";
        case Specification::Mode::score:
            return "score";
        case Specification::Mode::replay:
            return "replay";
        case Specification::Mode::bench:
            return "bench";
    }
    return "";
}

std::optional<Specification::Mode> mode_of(std::string_view word) {
    using Mode = Specification::Mode;
    for (auto mode : {Mode::train, Mode::score, Mode::replay, Mode::bench}) {
        if (name(mode) == word) return mode;
    }
    return std::nullopt;
}

// Paths may hold bytes that are not UTF-8. JSON cannot carry them, so they become U+FFFD instead of an exception.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json json_of(const Genes& genes) {
    Json json = Json::object();
    for (const auto& entry : genes) std::visit([&](const auto& plain) { json[entry.first] = plain; }, entry.second);
    return json;
}

Json json_of(const UseCost& caps) {
    Json json = Json::object();
    if (caps.parameters) json["parameters"] = *caps.parameters;
    if (caps.forward_flops_per_token) json["forward_flops_per_token"] = *caps.forward_flops_per_token;
    if (caps.joules_per_token) json["joules_per_token"] = *caps.joules_per_token;
    return json;
}

Json json_of(const StartEvent& event) {
    return {{"event", "start"},
            {"trainer", event.trainer},
            {"parameters", event.parameters},
            {"flops_per_token", event.flops_per_token},
            {"resumed_s", event.resumed_s},
            {"memory_bytes", event.memory_bytes}};
}

Json json_of(const StepEvent& event) {
    Json json = {{"event", "step"},
                 {"step", event.step},
                 {"elapsed_s", event.elapsed_s},
                 {"before_s", event.before_s},
                 {"train_loss", event.train_loss},
                 {"tokens", event.tokens}};
    if (event.wall_s > 0) json["wall_s"] = event.wall_s;
    if (event.here_s > 0) json["here_s"] = event.here_s;
    return json;
}

Json json_of(const EvalEvent&) { return {{"event", "eval"}}; }

Json json_of(const DoneEvent& event) {
    if (event.flops_per_s > 0) return {{"event", "done"}, {"flops_per_s", event.flops_per_s}};
    Json json = {{"event", "done"}};
    if (event.replayed_steps > 0) {
        json["replayed_steps"] = event.replayed_steps;
        json["tokens"] = event.tokens;
        json["train_s"] = event.train_s;
        return json;
    }
    if (event.steps > 0) {
        json["steps"] = event.steps;
        json["tokens"] = event.tokens;
        json["train_s"] = event.train_s;
    }
    if (event.score) {
        json["score"] = *event.score;
        return json;
    }
    json["artifact"] = event.artifact;
    json["artifact_bytes"] = event.artifact_bytes;
    json["parameters"] = event.parameters;
    json["val_loss"] = event.val_loss;
    json["val_bpb"] = event.val_bpb;
    json["val_tokens"] = event.val_tokens;
    json["val_bytes"] = event.val_bytes;
    json["chunks"] = event.chunks;
    json["chunk_loss_sums"] = event.chunk_loss_sums;
    return json;
}

Json json_of(const ErrorEvent& event) { return {{"event", "error"}, {"kind", event.kind}, {"message", event.message}}; }

Json json_of(const UnknownEvent&) { return {{"event", "unknown"}}; }

StartEvent read_start(Fields& fields) {
    StartEvent event;
    fields.take("trainer", event.trainer);
    fields.take("parameters", event.parameters);
    fields.take("flops_per_token", event.flops_per_token);
    if (fields.has("resumed_s")) fields.take("resumed_s", event.resumed_s);
    if (fields.has("memory_bytes")) fields.take("memory_bytes", event.memory_bytes);
    return event;
}

StepEvent read_step(Fields& fields) {
    StepEvent event;
    fields.take("step", event.step);
    fields.take("elapsed_s", event.elapsed_s);
    fields.take("before_s", event.before_s);
    fields.take("train_loss", event.train_loss);
    fields.take("tokens", event.tokens);
    if (fields.has("wall_s")) fields.take("wall_s", event.wall_s);
    if (fields.has("here_s")) fields.take("here_s", event.here_s);
    return event;
}

DoneEvent read_done(Fields& fields) {
    DoneEvent event;
    if (fields.has("flops_per_s")) {
        fields.take("flops_per_s", event.flops_per_s);
        return event;
    }
    if (fields.has("replayed_steps")) {
        fields.take("replayed_steps", event.replayed_steps, 1);
        fields.take("tokens", event.tokens);
        fields.take("train_s", event.train_s);
        return event;
    }
    if (fields.has("steps")) {
        fields.take("steps", event.steps);
        fields.take("tokens", event.tokens);
        fields.take("train_s", event.train_s);
    }
    if (fields.has("score")) {
        fields.take("score", event.score.emplace());
        return event;
    }
    if (fields.has("artifact")) {
        fields.take("artifact", event.artifact);
        fields.take("artifact_bytes", event.artifact_bytes);
    }
    if (fields.has("parameters")) fields.take("parameters", event.parameters);
    fields.take("val_loss", event.val_loss);
    fields.take("val_bpb", event.val_bpb);
    fields.take("val_tokens", event.val_tokens);
    fields.take("val_bytes", event.val_bytes);
    if (fields.has("chunks") || fields.has("chunk_loss_sums")) {
        fields.take_chunks("chunks", event.chunks);
        fields.take("chunk_loss_sums", event.chunk_loss_sums);
        if (event.chunks.size() != event.chunk_loss_sums.size()) fields.blame("chunk_loss_sums", "one for each chunk");
    }
    return event;
}

ErrorEvent read_error(Fields& fields) {
    ErrorEvent event;
    fields.take("kind", event.kind);
    fields.take("message", event.message);
    return event;
}

void read_model(Fields& fields, Specification& specification) {
    fields.take("genes", specification.genes);
    fields.take("device", specification.device);
    fields.take("vocabulary", specification.vocabulary, 1, kMaxVocabulary);
}

void read_scoring(Fields& fields, Specification& specification) {
    fields.take("val_shard", specification.val_shard);
    fields.take("byte_table", specification.byte_table);
    fields.take("artifact", specification.artifact);
}

void read_clock(Fields& fields, std::vector<double>& clock) {
    fields.take("clock", clock);
    if (clock.empty()) return;
    if (clock.front() != 0 || !std::is_sorted(clock.begin(), clock.end())) {
        fields.blame("clock", "a list of times from 0 that never fall");
    }
}

void read_budget_clock(Fields& fields, bool& cpu_clock) {
    std::string word;
    fields.take("budget_clock", word);
    cpu_clock = word == "cpu";
    if (!cpu_clock && word != "wall") fields.blame("budget_clock", "cpu or wall");
}

void read_training(Fields& fields, Specification& specification) {
    fields.take("seed", specification.seed, 0, static_cast<std::int64_t>(kExactLimit) - 1);
    fields.take("budget_s", specification.budget_s);
    if (fields.has("clock")) read_clock(fields, specification.clock);
    if (fields.has("budget_clock")) read_budget_clock(fields, specification.cpu_clock);
    if (fields.has("checkpoint_s")) fields.take("checkpoint_s", specification.checkpoint_s);
    fields.take("train_shards", specification.train_shards);
    if (fields.has("caps")) fields.take("caps", specification.caps);
    fields.take("work_dir", specification.work_dir);
    if (specification.budget_s <= 0) fields.blame("budget_s", "above 0");
    if (specification.checkpoint_s <= 0) fields.blame("checkpoint_s", "above 0");
    if (specification.train_shards.empty()) fields.blame("train_shards", "a list of at least one path");
}

void read_mode(Fields& fields, Specification& specification) {
    using Mode = Specification::Mode;
    const Mode mode = specification.mode;
    if (mode != Mode::bench) read_model(fields, specification);
    if (mode == Mode::train || mode == Mode::score) read_scoring(fields, specification);
    if (mode == Mode::train || mode == Mode::replay) read_training(fields, specification);
    if (mode == Mode::train) fields.take("artifact_cap_bytes", specification.artifact_cap_bytes);
    if (mode == Mode::score && fields.has("chunks")) fields.take_chunks("chunks", specification.chunks);
    if (mode == Mode::replay && specification.clock.empty()) fields.blame("clock", "a list of at least one time");
}

}  // namespace

std::string to_json(const Specification& specification) {
    Json json;
    json["protocol"] = kProtocolVersion;
    json["mode"] = name(specification.mode);
    json["genes"] = json_of(specification.genes);
    json["seed"] = specification.seed;
    json["budget_s"] = specification.budget_s;
    if (specification.cpu_clock) json["budget_clock"] = "cpu";
    json["threads"] = specification.threads;
    json["device"] = specification.device;
    json["clock"] = specification.clock;
    json["checkpoint_s"] = specification.checkpoint_s;
    json["train_shards"] = specification.train_shards;
    json["val_shard"] = specification.val_shard;
    json["byte_table"] = specification.byte_table;
    json["vocabulary"] = specification.vocabulary;
    json["artifact_cap_bytes"] = specification.artifact_cap_bytes;
    if (specification.caps != UseCost{}) json["caps"] = json_of(specification.caps);
    json["work_dir"] = specification.work_dir;
    json["artifact"] = specification.artifact;
    json["chunks"] = specification.chunks;
    return dump(json);
}

Result<Specification> parse_specification(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return fail(Code::usage, "specification: not a JSON object");
    Fields fields(json, Code::usage, "specification");
    std::int64_t protocol = 0;
    fields.take("protocol", protocol, 1);
    if (!fields.error() && protocol > kProtocolVersion) {
        return fail(Code::newer,
                    fmt::format("specification: protocol {} is newer than {}", protocol, kProtocolVersion));
    }
    std::string word;
    fields.take("mode", word);
    Specification specification;
    const auto mode = mode_of(word);
    if (mode)
        specification.mode = *mode;
    else
        fields.blame("mode", "train, score, replay or bench");
    fields.take("threads", specification.threads, 1, kMaxThreads);
    read_mode(fields, specification);
    if (fields.error()) return fail(*fields.error());
    return specification;
}

std::string to_line(const Event& event) {
    return std::visit([](const auto& plain) { return dump(json_of(plain)); }, event);
}

Result<Event> parse_event(std::string_view line) {
    if (line.size() > kMaxEventBytes) {
        return fail(Code::corrupt,
                    fmt::format("event: {} bytes are over the limit of {}", line.size(), kMaxEventBytes));
    }
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object())
        return fail(Code::corrupt, has_no_number(line) ? "event: NaN and Infinity are no numbers in JSON"
                                                       : "event: not a JSON object");
    Fields kind_field(json, Code::corrupt, "event");
    std::string kind;
    kind_field.take("event", kind);
    if (kind_field.error()) return fail(*kind_field.error());

    Fields fields(json, Code::corrupt, fmt::format("{} event", kind));
    Event event = UnknownEvent{};
    if (kind == "start")
        event = read_start(fields);
    else if (kind == "step")
        event = read_step(fields);
    else if (kind == "eval")
        event = EvalEvent{};
    else if (kind == "done")
        event = read_done(fields);
    else if (kind == "error")
        event = read_error(fields);
    if (fields.error()) return fail(*fields.error());
    return event;
}

}  // namespace cultivar
