#include "benchmarks/synthetic/options.h"

#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace cultivar {
namespace {

template <typename Number>
bool read_number(const std::string& text, Number& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc{} && end == text.data() + text.size() && into >= 0;
}

}  // namespace

Result<std::vector<std::string>> read_shape(const std::vector<std::string>& words, PoolShape& shape) {
    std::vector<std::string> rest;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string& word = words[i];
        const std::string value = i + 1 < words.size() ? words[i + 1] : "";
        bool good = true;
        if (word == "--runs") {
            good = read_number(value, shape.runs) && shape.runs > 0;
        } else if (word == "--contributors") {
            good = read_number(value, shape.contributors);
        } else if (word == "--crossover") {
            good = read_number(value, shape.crossover) && shape.crossover <= 1;
        } else if (word == "--seed") {
            good = read_number(value, shape.seed);
        } else {
            rest.push_back(word);
            continue;
        }
        if (!good) return fail(Code::usage, fmt::format("'{}' cannot take '{}'", word, value));
        ++i;
    }
    return rest;
}

std::vector<std::string> shape_words(const PoolShape& shape) {
    return {"--runs",      std::to_string(shape.runs),         "--contributors", std::to_string(shape.contributors),
            "--crossover", fmt::format("{}", shape.crossover), "--seed",         std::to_string(shape.seed)};
}

std::string summary_json(const PoolShape& shape, const PoolSummary& made, double wall_s) {
    return nlohmann::ordered_json{{"runs", shape.runs},
                                  {"contributors", made.contributors},
                                  {"kept", made.kept},
                                  {"crosses", made.crosses},
                                  {"archived", made.archived},
                                  {"records", made.records},
                                  {"record_bytes", made.record_bytes},
                                  {"generated_s", wall_s}}
        .dump();
}

}  // namespace cultivar
