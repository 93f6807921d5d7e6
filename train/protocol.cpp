#include "train/protocol.h"

#include <cmath>
#include <concepts>
#include <limits>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pool/record.h"

namespace cultivar {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::uint64_t kExactLimit = std::uint64_t{1} << 53;  // whole numbers below are exact in every JSON reader
constexpr std::int64_t kMaxThreads = 4096;
constexpr std::int64_t kMaxVocabulary = 65536;

// Takes typed fields out of a JSON object. The first thing wrong is kept; later takes change nothing.
class Fields {
public:
    Fields(const Json& json, Code code, std::string what) : json_(json), code_(code), what_(std::move(what)) {}

    bool has(const char* field) const { return json_.contains(field); }

    void take(const char* field, std::string& target) {
        if (const Json* value = find(field, &Json::is_string, "text")) target = value->get<std::string>();
    }
    void take(const char* field, double& target) {
        if (const Json* value = find(field, &Json::is_number, "a number")) {
            const double number = value->get<double>();
            if (!std::isfinite(number)) return blame(field, "a finite number");
            target = number;
        }
    }
    // Whole numbers from `low` to `high`, both included.
    template <std::integral T>
    void take(const char* field, T& target, std::int64_t low = 0, std::int64_t high = std::int64_t{1} << 53) {
        if (const Json* value = find(field, &Json::is_number_integer, "a whole number")) {
            if (value->is_number_unsigned() && value->get<std::uint64_t>() > static_cast<std::uint64_t>(high)) {
                return blame(field, fmt::format("at most {}", high));
            }
            const auto number = value->get<std::int64_t>();
            if (number < low || number > high) return blame(field, fmt::format("from {} to {}", low, high));
            target = static_cast<T>(number);
        }
    }
    void take(const char* field, std::vector<std::string>& target) {
        take_list(field, target, &Json::is_string, "a list of texts");
    }
    void take(const char* field, std::vector<double>& target) {
        take_list(field, target, &Json::is_number, "a list of numbers");
        for (double number : target) {
            if (!std::isfinite(number)) blame(field, "a list of finite numbers");
        }
    }
    void take_chunks(const char* field, std::vector<int>& target) {
        std::vector<std::int64_t> numbers;
        take_list(field, numbers, &Json::is_number_integer, "a list of whole numbers");
        for (std::int64_t number : numbers) {
            if (number < 0 || number >= kScoreChunks) return blame(field, "a list of chunks from 0 to 63");
            target.push_back(static_cast<int>(number));
        }
    }
    void take(const char* field, UseCost& target) {
        const Json* caps = find(field, &Json::is_object, "an object of caps");
        if (!caps) return;
        Fields inside(*caps, code_, what_ + " caps");
        if (inside.has("parameters")) inside.take("parameters", target.parameters.emplace());
        if (inside.has("forward_flops_per_token"))
            inside.take("forward_flops_per_token", target.forward_flops_per_token.emplace());
        if (inside.has("joules_per_token")) inside.take("joules_per_token", target.joules_per_token.emplace());
        if (!error_) error_ = inside.error();
    }
    void take(const char* field, Genes& target) {
        const Json* genes = find(field, &Json::is_object, "an object of genes");
        if (!genes) return;
        for (const auto& [name, value] : genes->items()) {
            const bool too_large = value.is_number_unsigned() && value.get<std::uint64_t>() > kExactLimit;
            if (value.is_number_integer() && !too_large)
                target[name] = value.get<std::int64_t>();
            else if (value.is_number_float())
                target[name] = value.get<double>();
            else if (value.is_boolean())
                target[name] = value.get<bool>();
            else if (value.is_string())
                target[name] = value.get<std::string>();
            else
                return blame(name.c_str(), "a number, a truth or a word");
        }
    }

    void blame(const char* field, std::string_view expected) {
        if (!error_) error_ = Error{code_, fmt::format("{}: '{}' must be {}", what_, field, expected), {}};
    }
    const std::optional<Error>& error() const { return error_; }

private:
    const Json* find(const char* field, bool (Json::*is_type)() const noexcept, std::string_view expected) {
        const auto found = json_.find(field);
        if (found != json_.end() && ((*found).*is_type)()) return &*found;
        blame(field, expected);
        return nullptr;
    }
    template <typename T>
    void take_list(const char* field, std::vector<T>& target, bool (Json::*is_type)() const noexcept,
                   std::string_view expected) {
        const Json* list = find(field, &Json::is_array, expected);
        if (!list) return;
        for (const Json& item : *list) {
            if (!(item.*is_type)()) return blame(field, expected);
            target.push_back(item.get<T>());
        }
    }

    const Json& json_;
    Code code_;
    std::string what_;
    std::optional<Error> error_;
};

std::string_view name(Specification::Mode mode) {
    switch (mode) {
        case Specification::Mode::train:
            return "train";
        case Specification::Mode::score:
            return "score";
        case Specification::Mode::bench:
            return "bench";
    }
    return "";
}

std::optional<Specification::Mode> mode_of(std::string_view word) {
    for (auto mode : {Specification::Mode::train, Specification::Mode::score, Specification::Mode::bench}) {
        if (name(mode) == word) return mode;
    }
    return std::nullopt;
}

// Paths may hold bytes that are not UTF-8; they would not survive JSON, so they are shown as U+FFFD rather than thrown.
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
            {"resumed_s", event.resumed_s}};
}

Json json_of(const StepEvent& event) {
    return {{"event", "step"},
            {"step", event.step},
            {"elapsed_s", event.elapsed_s},
            {"before_s", event.before_s},
            {"train_loss", event.train_loss},
            {"tokens", event.tokens}};
}

Json json_of(const EvalEvent&) { return {{"event", "eval"}}; }

Json json_of(const DoneEvent& event) {
    if (event.flops_per_s > 0) return {{"event", "done"}, {"flops_per_s", event.flops_per_s}};
    Json json = {{"event", "done"}};
    if (event.steps > 0) {
        json["steps"] = event.steps;
        json["tokens"] = event.tokens;
        json["train_s"] = event.train_s;
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
    return event;
}

StepEvent read_step(Fields& fields) {
    StepEvent event;
    fields.take("step", event.step);
    fields.take("elapsed_s", event.elapsed_s);
    fields.take("before_s", event.before_s);
    fields.take("train_loss", event.train_loss);
    fields.take("tokens", event.tokens);
    return event;
}

DoneEvent read_done(Fields& fields) {
    DoneEvent event;
    if (fields.has("flops_per_s")) {
        fields.take("flops_per_s", event.flops_per_s);
        return event;
    }
    if (fields.has("steps")) {
        fields.take("steps", event.steps);
        fields.take("tokens", event.tokens);
        fields.take("train_s", event.train_s);
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

void read_data(Fields& fields, Specification& specification) {
    fields.take("genes", specification.genes);
    fields.take("device", specification.device);
    fields.take("val_shard", specification.val_shard);
    fields.take("byte_table", specification.byte_table);
    fields.take("vocabulary", specification.vocabulary, 1, kMaxVocabulary);
    fields.take("artifact", specification.artifact);
}

void read_training(Fields& fields, Specification& specification) {
    fields.take("seed", specification.seed, 0, static_cast<std::int64_t>(kExactLimit) - 1);
    fields.take("budget_s", specification.budget_s);
    fields.take("train_shards", specification.train_shards);
    fields.take("artifact_cap_bytes", specification.artifact_cap_bytes);
    if (fields.has("caps")) fields.take("caps", specification.caps);
    fields.take("work_dir", specification.work_dir);
    if (specification.budget_s <= 0) fields.blame("budget_s", "above 0");
    if (specification.train_shards.empty()) fields.blame("train_shards", "a list of at least one path");
}

}  // namespace

std::string to_json(const Specification& specification) {
    Json json;
    json["protocol"] = kProtocolVersion;
    json["mode"] = name(specification.mode);
    json["genes"] = json_of(specification.genes);
    json["seed"] = specification.seed;
    json["budget_s"] = specification.budget_s;
    json["threads"] = specification.threads;
    json["device"] = specification.device;
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
        fields.blame("mode", "train, score or bench");
    fields.take("threads", specification.threads, 1, kMaxThreads);
    if (specification.mode != Specification::Mode::bench) read_data(fields, specification);
    if (specification.mode == Specification::Mode::train) read_training(fields, specification);
    if (specification.mode == Specification::Mode::score && fields.has("chunks")) {
        fields.take_chunks("chunks", specification.chunks);
    }
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
    if (!json.is_object()) return fail(Code::corrupt, "event: not a JSON object");
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
