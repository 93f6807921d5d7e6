// cultivar-lm: trains and scores language models, one process per run. See train/protocol/protocol.h.
#include <ATen/Parallel.h>
#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "train/lm/config/memory_estimate.h"
#include "train/lm/config/tensor_layout.h"
#include "train/lm/loop/build_info.h"
#include "train/lm/loop/scorer.h"
#include "train/lm/loop/speed_benchmark.h"
#include "train/lm/loop/stop_signal.h"
#include "train/lm/loop/trainer.h"
#include "train/lm/model/quantize.h"
#include "train/lm/ops/device.h"

namespace cultivar {
namespace {

constexpr int kDone = 0, kUnfit = 125, kFailed = 128, kUsage = 129, kStopped = 143;
constexpr const char* kUsageText =
    "usage: cultivar-lm run SPEC.json\n"
    "       cultivar-lm bench [--json]\n"
    "       cultivar-lm version [--json]\n"
    "\n"
    "The built-in trainer of cultivar, which starts it: one process per run, events as JSON lines on standard "
    "output.\n";

// Writes one event as a line, at once. If nobody reads events any more, the run asks itself to stop.
void emit(const Event& event) {
    const std::string line = to_line(event) + "\n";
    std::size_t written = 0;
    while (written < line.size()) {
        const ssize_t count = write(STDOUT_FILENO, line.data() + written, line.size() - written);
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return request_stop();
        written += static_cast<std::size_t>(count);
    }
}

Outcome<Specification> read_specification(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream bytes;
    if (!(bytes << file.rdbuf())) return fail(ErrorEvent{"usage", fmt::format("cannot read '{}'", path)});
    return blame("usage", parse_specification(bytes.str()));
}

Outcome<DoneEvent> score(const Specification& specification, at::Device device) {
    TRY_ASSIGN(const LmConfig config, blame("usage", read_lm_config(specification.genes, specification.vocabulary)));
    std::error_code error;
    const auto size_bytes = std::filesystem::file_size(specification.artifact, error);
    if (error) return fail(ErrorEvent{"artifact", fmt::format("cannot read '{}'", specification.artifact)});
    const Layout layout = make_layout(config.model);
    if (size_bytes > static_cast<std::uintmax_t>(artifact_content_limit_bytes(layout, config.artifact))) {
        return fail(
            ErrorEvent{"artifact", fmt::format("artifact of {} bytes is larger than its content may be", size_bytes)});
    }
    const double memory_bytes =
        scoring_memory_bytes(config, layout.size, score_batch_targets(config.model), specification.threads);
    TRY(check_memory(memory_bytes));
    std::ifstream file(specification.artifact, std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    emit(StartEvent{trainer_name(specification.threads), layout.size, config.model.forward_flops_per_token(), 0,
                    memory_bytes});
    emit(EvalEvent{});
    TRY_ASSIGN(Score figures, score_artifact(config, device, bytes, specification.val_shard, specification.byte_table,
                                             specification.chunks));
    DoneEvent done;
    done.artifact = specification.artifact;
    done.artifact_bytes = static_cast<std::int64_t>(bytes.size());
    done.parameters = layout.size;
    set_score(done, std::move(figures));
    return done;
}

Outcome<DoneEvent> work(const std::string& path) {
    TRY_ASSIGN(const Specification specification, read_specification(path));
    TRY_ASSIGN(const at::Device device, find_device(specification.device));
    at::set_num_threads(specification.threads);
    switch (specification.mode) {
        case Specification::Mode::train:
        case Specification::Mode::replay:
            return train(specification, device, emit);
        case Specification::Mode::score:
            return score(specification, device);
        case Specification::Mode::bench:
            break;
    }
    DoneEvent done;
    done.flops_per_s = training_flops_per_s(device);
    return done;
}

// Converts torch's exceptions (out of memory, impossible shapes) into errors.
Outcome<DoneEvent> guarded(const std::string& path) {
    try {
        return work(path);
    } catch (const std::bad_alloc&) {
        return fail(ErrorEvent{"unfit", "out of memory"});
    } catch (const std::exception& error) {
        const std::string text = error.what();
        if (text.find("can't allocate memory") != std::string::npos) {
            return fail(ErrorEvent{"unfit", "out of memory"});
        }
        return fail(ErrorEvent{"internal", text.substr(0, text.find('\n'))});
    }
}

int run(const std::string& path) {
    install_stop_signals();
    const Outcome<DoneEvent> outcome = guarded(path);
    if (outcome) {
        emit(*outcome);
        return stop_requested() ? kStopped : kDone;
    }
    if (outcome.error().kind == kInterrupted) return kStopped;
    emit(outcome.error());
    if (outcome.error().kind == "unfit") return kUnfit;
    return outcome.error().kind == "usage" ? kUsage : kFailed;
}

// Uses as many threads as OMP_NUM_THREADS says, or else one per core.
int bench(bool json) {
    const Signature signature = run_signature();
    const double flops_per_s = training_flops_per_s(at::kCPU);
    const BuildInfo info = build_info();
    const int threads = at::get_num_threads();
    if (json) {
        const nlohmann::ordered_json record{{"schema", 1},
                                            {"program", "cultivar-lm"},
                                            {"version", info.version},
                                            {"torch", info.torch},
                                            {"instruction_set", info.instruction_set},
                                            {"threads", threads},
                                            {"flops_per_s", flops_per_s},
                                            {"signature", signature.digest},
                                            {"losses", signature.losses}};
        fmt::print("{}\n", record.dump(2));
    } else {
        fmt::print("{:.2f} GFLOP/s of training, {} threads, {}\nsignature {}, last loss {:.6f}\n", flops_per_s / 1e9,
                   threads, info.instruction_set, signature.digest, signature.losses.back());
    }
    return std::fflush(stdout) == 0 ? kDone : kFailed;
}

int version(bool json) {
    const BuildInfo info = build_info();
    if (json) {
        const nlohmann::ordered_json record{{"schema", 1},
                                            {"program", "cultivar-lm"},
                                            {"version", info.version},
                                            {"torch", info.torch},
                                            {"blas", info.blas},
                                            {"blas_library", info.blas_library},
                                            {"instruction_set", info.instruction_set},
                                            {"torch_instruction_set", info.torch_instruction_set},
                                            {"threads", info.threads}};
        fmt::print("{}\n", record.dump(2));
    } else {
        fmt::print("cultivar-lm {}\ntorch {}, {}, {} threads\n{} from {}\n", info.version, info.torch,
                   info.instruction_set, info.threads, info.blas, info.blas_library);
    }
    return std::fflush(stdout) == 0 ? kDone : kFailed;
}

// Makes malloc keep freed memory: memory returned to the system after each micro-batch would cause page faults in the
// next.
void keep_freed_memory() {
    mallopt(M_MMAP_THRESHOLD, 32 << 20);  // the most that glibc accepts
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
}

}  // namespace
}  // namespace cultivar

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    cultivar::keep_freed_memory();
    if (words.size() == 2 && words[0] == "run") return cultivar::run(words[1]);
    const bool json = words.size() == 2 && words[1] == "--json";
    if (words.size() == 1 || json) {
        if (words[0] == "bench") return cultivar::bench(json);
        if (words[0] == "version") return cultivar::version(json);
    }
    const bool help = words.size() == 1 && (words[0] == "--help" || words[0] == "help");
    fmt::print(help ? stdout : stderr, "{}", cultivar::kUsageText);
    return help ? cultivar::kDone : cultivar::kUsage;
}
