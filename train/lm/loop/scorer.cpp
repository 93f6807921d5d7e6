#include "train/lm/loop/scorer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "eval/formats/bits_per_byte.h"
#include "pool/types/record.h"
#include "train/lm/loop/stop_signal.h"
#include "train/lm/model/model.h"
#include "train/lm/model/quantize.h"
#include "train/lm/ops/parallel_lanes.h"

namespace cultivar {
namespace {

struct Validation {
    Shard shard;
    ByteTable bytes;
    std::int64_t targets = 0;

    std::int64_t chunk_begin(int chunk) const { return chunk * (targets / kScoreChunks); }
};

Outcome<Validation> open_validation(const std::string& val_shard, const std::string& byte_table,
                                    std::int64_t vocabulary) {
    TRY_ASSIGN(Shard shard, blame("data", Shard::open(val_shard)));
    TRY_ASSIGN(ByteTable bytes, blame("data", read_byte_table(byte_table)));
    const std::span<const std::uint16_t> tokens = shard.tokens();
    const std::int64_t targets = scored_targets(static_cast<std::int64_t>(tokens.size()));
    if (targets == 0) {
        return fail(ErrorEvent{
            "data", fmt::format("validation shard '{}' has fewer than {} tokens", val_shard, kTargetMultiple + 1)});
    }
    if (static_cast<std::int64_t>(bytes.size()) != vocabulary) {
        return fail(ErrorEvent{"data", fmt::format("byte table '{}' has {} ids, the vocabulary {}", byte_table,
                                                   bytes.size(), vocabulary)});
    }
    const auto outside = std::find_if(tokens.begin(), tokens.end(), [&](auto token) { return token >= vocabulary; });
    if (outside != tokens.end()) {
        return fail(ErrorEvent{"data", fmt::format("validation shard '{}' has token {}, the vocabulary only {}",
                                                   val_shard, *outside, vocabulary)});
    }
    return Validation{std::move(shard), std::move(bytes), targets};
}

Outcome<Model> load_model(const LmConfig& config, at::Device device, std::string_view artifact_bytes) {
    const Layout layout = make_layout(config.model);
    TRY_ASSIGN(
        const Artifact artifact,
        blame("artifact", unpack_artifact(artifact_bytes, artifact_content_limit_bytes(layout, config.artifact))));
    TRY_ASSIGN(const std::vector<float> values, blame("artifact", dequantize(layout, config.artifact, artifact)));
    Model model(config.model, 1, ops_for(device), device);
    model.set_values(values);
    return model;
}

// Returns losses by target position, for the batches that some chunk needs. A batch's losses depend on nothing else:
// each batch is computed by one thread.
Outcome<std::vector<float>> target_losses(const Model& model, const Validation& validation,
                                          const std::vector<int>& chunks) {
    const std::span<const std::uint16_t> tokens = validation.shard.tokens();
    const std::int64_t size = score_batch_targets(model.config());
    std::set<std::int64_t> needed;
    for (int chunk : chunks) {
        const std::int64_t last = (validation.chunk_begin(chunk + 1) - 1) / size;
        for (std::int64_t batch = validation.chunk_begin(chunk) / size; batch <= last; ++batch) needed.insert(batch);
    }
    const std::vector<std::int64_t> batches(needed.begin(), needed.end());
    std::vector<float> losses(static_cast<std::size_t>(validation.targets));
    const std::int64_t lanes = model.values().is_cpu() ? at::get_num_threads() : 1;
    run_lanes(lanes, [&](std::int64_t lane) {
        std::vector<std::int64_t> ids(static_cast<std::size_t>(size + 1));
        for (auto i = static_cast<std::size_t>(lane); i < batches.size() && !stop_requested();
             i += static_cast<std::size_t>(lanes)) {
            const auto begin = static_cast<std::size_t>(batches[i] * size);
            std::copy_n(tokens.begin() + static_cast<std::ptrdiff_t>(begin), ids.size(), ids.begin());
            model.target_losses(ids, std::span(losses).subspan(begin, static_cast<std::size_t>(size)));
        }
    });
    if (stop_requested()) return fail(ErrorEvent{kInterrupted, "asked to stop while scoring"});
    return losses;
}

std::vector<int> wanted(std::vector<int> chunks) {
    if (chunks.empty()) {
        chunks.resize(kScoreChunks);
        std::iota(chunks.begin(), chunks.end(), 0);
    }
    std::sort(chunks.begin(), chunks.end());
    chunks.erase(std::unique(chunks.begin(), chunks.end()), chunks.end());
    return chunks;
}

}  // namespace

Outcome<Score> score_artifact(const LmConfig& config, at::Device device, std::string_view artifact_bytes,
                              const std::string& val_shard, const std::string& byte_table,
                              const std::vector<int>& chunks) {
    TRY_ASSIGN(const Validation validation, open_validation(val_shard, byte_table, config.model.vocabulary));
    TRY_ASSIGN(const Model model, load_model(config, device, artifact_bytes));
    const std::span<const std::uint16_t> tokens = validation.shard.tokens();
    Score score;
    score.chunks = wanted(chunks);
    TRY_ASSIGN(const std::vector<float> losses, target_losses(model, validation, score.chunks));
    for (int chunk : score.chunks) {
        const std::int64_t begin = validation.chunk_begin(chunk), end = validation.chunk_begin(chunk + 1);
        score.chunk_loss_sums.push_back(std::accumulate(losses.begin() + begin, losses.begin() + end, 0.0));
        score.tokens += end - begin;
        score.bytes += target_bytes(tokens, validation.bytes, begin, end);
    }
    const double sum = std::accumulate(score.chunk_loss_sums.begin(), score.chunk_loss_sums.end(), 0.0);
    if (!std::isfinite(sum)) return fail(ErrorEvent{"artifact", "the artifact's losses are not finite"});
    if (score.bytes == 0) return fail(ErrorEvent{"data", "the scored tokens have no bytes"});
    score.val_loss = sum / static_cast<double>(score.tokens);
    score.val_bpb = bits_per_byte(score.val_loss, score.tokens, score.bytes);
    return score;
}

Outcome<void> check_validation(const std::string& val_shard, const std::string& byte_table, std::int64_t vocabulary) {
    TRY(open_validation(val_shard, byte_table, vocabulary));
    return {};
}

void set_score(DoneEvent& done, Score score) {
    done.val_loss = score.val_loss;
    done.val_bpb = score.val_bpb;
    done.val_tokens = score.tokens;
    done.val_bytes = score.bytes;
    done.chunks = std::move(score.chunks);
    done.chunk_loss_sums = std::move(score.chunk_loss_sums);
}

}  // namespace cultivar
