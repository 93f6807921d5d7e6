// lm_bench measures training speed as ratios taken in one run, since tokens/s alone say more about the machine's load
// than about the program. Each round measures, one after another, the machine's own sgemm, our training, our scoring
// and, with --peer, plain PyTorch. It prints medians over the rounds, also of the ratios.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <optional>

#include "benchmarks/lm/bystanders.h"
#include "benchmarks/lm/peer.h"
#include "benchmarks/lm/sgemm.h"
#include "benchmarks/lm/sizes.h"
#include "benchmarks/lm/subject.h"
#include "train/lm/loop/build_info.h"
#include "train/lm/ops/device.h"
#include "train/lm/ops/parallel_lanes.h"

namespace cultivar {
namespace {

using nlohmann::ordered_json;

constexpr int kRounds = 3;
constexpr int kCheckSteps = 3;
constexpr double kLossTolerance = 1e-3, kBf16LossTolerance = 3e-2;  // relative differences
constexpr const char* kUsageText =
    "usage: lm_bench [--json] [--peer] [--seconds S] [--device cpu|cuda|mps] [--size NAME]...\n"
    "\n"
    "Measures the trainer's speed for the sizes a, b and c (or those named; `baseline` too): three rounds of S\n"
    "seconds (3 if not given) and at least one step for each figure, on the machine's cores or OMP_NUM_THREADS.\n"
    "--peer adds plain PyTorch with the same BLAS and threads, run by /usr/bin/python3 or what PYTHON names, after a\n"
    "check that both train the same model: in the micro-batches that are fastest there, and with the whole step as "
    "one\n"
    "batch. Figures are worth little where `bystanders`, the cores that other processes kept busy meanwhile, is much\n"
    "above 0.\n";

struct Options {
    bool json = false, peer = false, help = false;
    double seconds = 3;
    std::string device = "cpu";
    std::vector<std::string> sizes;
};

Result<Options> read_options(const std::vector<std::string>& words) {
    Options options;
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool last = i + 1 == words.size();
        if (words[i] == "--json") {
            options.json = true;
        } else if (words[i] == "--peer") {
            options.peer = true;
        } else if (words[i] == "--help") {
            options.help = true;
        } else if (words[i] == "--size" && !last) {
            options.sizes.push_back(words[++i]);
        } else if (words[i] == "--device" && !last) {
            options.device = words[++i];
        } else if (words[i] == "--seconds" && !last) {
            const std::string& text = words[++i];
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), options.seconds);
            if (error != std::errc{} || end != text.data() + text.size() || !(options.seconds > 0)) {
                return fail(Code::usage, fmt::format("'{}' is not a number of seconds", text));
            }
        } else {
            return fail(Code::usage, fmt::format("cannot read '{}'", words[i]), "lm_bench --help");
        }
    }
    if (options.sizes.empty()) options.sizes = {"a", "b", "c"};
    return options;
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// Returns training FLOPs per token: three times the forward pass. A shared block counts as often as it is used.
double flops_as_used(const LmConfig& config) { return 3 * config.model.forward_flops_per_token(); }

// Returns 6 x parameters plus causal attention per token. It differs from the above for shared blocks, which count
// once, and vectors.
double flops_by_parameters(const LmConfig& config, std::int64_t parameters) {
    const ModelConfig& model = config.model;
    return 6.0 * static_cast<double>(parameters) +
           6.0 * static_cast<double>(model.layers * model.width * (model.seq_len + 1));
}

struct Round {
    double sgemm_lanes = 0, sgemm_threads = 0;                   // FLOP/s
    double training = 0, scoring = 0, peer = 0, peer_whole = 0;  // tokens/s

    double sgemm() const { return std::max(sgemm_lanes, sgemm_threads); }
};

std::string blas_folder() {
    const std::filesystem::path library = build_info().blas_library;
    return library.has_parent_path() ? library.parent_path().string() : std::string();
}

Result<Peer> start_peer(const LmConfig& config, const std::string& device) {
    const char* python = std::getenv("PYTHON");
    return Peer::start(python ? python : "/usr/bin/python3", config, device, at::get_num_threads(), blas_folder());
}

// Compares both sides' first losses from the same start on the same tokens. Errors: corrupt (another model).
Result<double> largest_loss_difference(Peer& peer, const LmConfig& config, at::Device device) {
    TRY_ASSIGN(const ordered_json answer, peer.ask(fmt::format("losses {}", kCheckSteps)));
    const std::vector<double> theirs = answer.at("losses"), ours = first_losses(config, device, kCheckSteps);
    double largest = 0;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        largest = std::max(largest, std::abs(theirs.at(i) - ours[i]) / ours[i]);
    }
    if (largest <= (device.is_cuda() ? kBf16LossTolerance : kLossTolerance)) return largest;
    return fail(Code::corrupt, fmt::format("the peer trains another model: losses {} are not {}",
                                           ordered_json(theirs).dump(), ordered_json(ours).dump()));
}

Result<std::vector<Round>> run_rounds(Subject& subject, SgemmCeiling& ceiling, Peer* peer, double seconds) {
    std::vector<Round> rounds;
    for (int i = 0; i < kRounds; ++i) {
        Round round;
        round.sgemm_lanes = ceiling.flops_per_s(true, seconds / 2);
        round.training = subject.training_tokens_per_s(seconds);
        round.scoring = subject.scoring_tokens_per_s(seconds / 2);
        round.sgemm_threads = ceiling.flops_per_s(false, seconds / 2);
        if (peer) {
            TRY_ASSIGN(const ordered_json best, peer->ask(fmt::format("train {}", seconds)));
            TRY_ASSIGN(const ordered_json whole, peer->ask(fmt::format("whole {}", seconds)));
            round.peer = best.at("tokens_per_s");
            round.peer_whole = whole.at("tokens_per_s");
        }
        rounds.push_back(round);
    }
    return rounds;
}

// Returns medians of the rounds and of their ratios.
ordered_json summarise(const LmConfig& config, std::int64_t parameters, const std::vector<Round>& rounds,
                       bool with_peer) {
    const auto middle = [&](const auto& figure) {
        std::vector<double> values;
        for (const Round& round : rounds) values.push_back(figure(round));
        return median(values);
    };
    const double flops = flops_as_used(config), flops_simple = flops_by_parameters(config, parameters);
    ordered_json record{
        {"parameters", parameters},
        {"tokens_per_step", config.tokens_per_step},
        {"train_flops_per_token", flops},
        {"tokens_per_s", middle([](const Round& r) { return r.training; })},
        {"gflop_per_s", middle([&](const Round& r) { return r.training * flops / 1e9; })},
        {"gflop_per_s_by_parameters", middle([&](const Round& r) { return r.training * flops_simple / 1e9; })},
        {"sgemm_gflop_per_s", middle([](const Round& r) { return r.sgemm() / 1e9; })},
        {"sgemm_lanes_gflop_per_s", middle([](const Round& r) { return r.sgemm_lanes / 1e9; })},
        {"sgemm_threads_gflop_per_s", middle([](const Round& r) { return r.sgemm_threads / 1e9; })},
        {"share_of_sgemm", middle([&](const Round& r) { return r.training * flops / r.sgemm(); })},
        {"share_of_sgemm_by_parameters", middle([&](const Round& r) { return r.training * flops_simple / r.sgemm(); })},
        {"score_tokens_per_s", middle([](const Round& r) { return r.scoring; })},
        {"score_ratio", middle([](const Round& r) { return r.scoring / r.training; })}};
    if (!with_peer) return record;
    record["peer_tokens_per_s"] = middle([](const Round& r) { return r.peer; });
    record["peer_ratio"] = middle([](const Round& r) { return r.training / r.peer; });
    record["peer_whole_tokens_per_s"] = middle([](const Round& r) { return r.peer_whole; });
    record["peer_whole_ratio"] = middle([](const Round& r) { return r.training / r.peer_whole; });
    return record;
}

Result<ordered_json> measure(const std::string& name, at::Device device, const Options& options) {
    TRY_ASSIGN(const LmConfig config, size_config(name));
    const Bystanders bystanders;
    Subject subject(config, device);
    SgemmCeiling ceiling(config, device);
    std::optional<Peer> peer;
    ordered_json peer_facts;
    if (options.peer) {
        TRY_ASSIGN(Peer started, start_peer(config, options.device));
        peer.emplace(std::move(started));
        TRY_ASSIGN(const double difference, largest_loss_difference(*peer, config, device));
        TRY_ASSIGN(peer_facts, peer->ask("prepare"));
        peer_facts["loss_difference"] = difference;
    }
    TRY_ASSIGN(const std::vector<Round> rounds, run_rounds(subject, ceiling, peer ? &*peer : nullptr, options.seconds));
    peer.reset();  // its CPU time counts once it has ended
    ordered_json record{{"size", name}};
    record.update(summarise(config, subject.parameters(), rounds, options.peer));
    if (options.peer) record["peer"] = std::move(peer_facts);
    record["bystander_cores"] = bystanders.cores();
    return record;
}

void print_heading(bool with_peer) {
    fmt::print("{:8} {:>9} {:>8} {:>8} {:>6} {:>9} {:>6}", "size", "tokens/s", "GFLOP/s", "sgemm", "share", "scoring",
               "x");
    if (with_peer) fmt::print(" {:>9} {:>6} {:>9} {:>6}", "peer", "x", "whole", "x");
    fmt::print(" {:>10}\n", "bystanders");
}

void print_row(const ordered_json& record) {
    const auto figure = [&](const char* name) { return record.at(name).get<double>(); };
    fmt::print("{:8} {:9.0f} {:8.1f} {:8.1f} {:5.0f}% {:9.0f} {:6.2f}", record.at("size").get<std::string>(),
               figure("tokens_per_s"), figure("gflop_per_s"), figure("sgemm_gflop_per_s"),
               100 * figure("share_of_sgemm"), figure("score_tokens_per_s"), figure("score_ratio"));
    if (record.contains("peer")) {
        fmt::print(" {:9.0f} {:6.2f} {:9.0f} {:6.2f}", figure("peer_tokens_per_s"), figure("peer_ratio"),
                   figure("peer_whole_tokens_per_s"), figure("peer_whole_ratio"));
    }
    fmt::print(" {:10.2f}\n", figure("bystander_cores"));
    std::fflush(stdout);
}

Result<void> bench(const Options& options) {
    const Outcome<at::Device> device = find_device(options.device);
    if (!device) return fail(Code::usage, device.error().message);
    const BuildInfo info = build_info();
    ordered_json report{{"schema", 1},
                        {"program", "lm_bench"},
                        {"torch", info.torch},
                        {"blas", info.blas},
                        {"blas_library", info.blas_library},
                        {"instruction_set", info.instruction_set},
                        {"device", options.device},
                        {"threads", at::get_num_threads()},
                        {"rounds", kRounds},
                        {"seconds", options.seconds},
                        {"sizes", ordered_json::array()}};
    if (!options.json) print_heading(options.peer);
    for (const std::string& size : options.sizes) {
        TRY_ASSIGN(ordered_json record, measure(size, *device, options));
        if (!options.json) print_row(record);
        report["sizes"].push_back(std::move(record));
    }
    if (options.json) fmt::print("{}\n", report.dump(2));
    return {};
}

int wanted_threads() {
    const char* wish = std::getenv("OMP_NUM_THREADS");
    const int threads = wish ? std::atoi(wish) : 0;
    return threads > 0 ? threads : build_info().threads;
}

int complain(const Error& error) {
    fmt::print(stderr, "lm_bench: {}\n", error.message);
    if (!error.hint.empty()) fmt::print(stderr, "hint: {}\n", error.hint);
    return error.code == Code::usage || error.code == Code::not_found ? 129 : 128;
}

}  // namespace
}  // namespace cultivar

int main(int argc, char** argv) {
    using namespace cultivar;
    mallopt(M_MMAP_THRESHOLD, 32 << 20);  // as the worker's main does
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    at::set_num_threads(wanted_threads());
    const Result<Options> options = read_options({argv + 1, argv + argc});
    if (!options) return complain(options.error());
    if (options->help) return fmt::print("{}", kUsageText), 0;
    const Result<void> done = bench(*options);
    return done ? 0 : complain(done.error());
}
