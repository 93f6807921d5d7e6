#include "train/lm/loop/checkpoint.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "pool/util/file.h"
#include "pool/util/sha256.h"

namespace cultivar {
namespace {

constexpr std::string_view kMagic = "CVLMCKP3";
constexpr std::size_t kDigestDigits = 64;

struct Header {
    std::int64_t step, position;
    double reached_s, elapsed_s, wall_s;
    std::int64_t floats, lanes;
};

constexpr std::size_t kBodyAt = kMagic.size() + kDigestDigits;
constexpr std::size_t kHeaderAt = kBodyAt + kDigestDigits;
constexpr std::size_t kLanesAt = kHeaderAt + sizeof(Header);

std::string path_in(const std::string& work_dir) { return work_dir + "/checkpoint.bin"; }

template <typename T>
std::string_view raw(std::span<T> values) {
    return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

std::size_t file_bytes(std::size_t lanes, std::size_t floats) {
    return kLanesAt + lanes * sizeof(LaneProgress) + floats * sizeof(float);
}

// Returns the whole file if it has one of the two sizes, else "".
std::string read_whole(const std::string& path, std::size_t one_bytes, std::size_t other_bytes) {
    std::error_code error;
    const std::uintmax_t size_bytes = std::filesystem::file_size(path, error);
    if (error || (size_bytes != one_bytes && size_bytes != other_bytes)) return {};
    std::string bytes(size_bytes, '\0');
    std::ifstream file(path, std::ios::binary);
    if (!file.read(bytes.data(), static_cast<std::streamsize>(size_bytes))) return {};
    return bytes;
}

bool plausible(const Header& header) {
    return header.step >= 0 && header.position >= 0 && std::isfinite(header.reached_s) && header.reached_s >= 0 &&
           std::isfinite(header.elapsed_s) && header.elapsed_s >= header.reached_s && std::isfinite(header.wall_s) &&
           header.wall_s >= 0;
}

}  // namespace

Result<void> write_checkpoint(const std::string& work_dir, const std::string& run_digest, const Progress& progress,
                              const FloatBuffers& buffers) {
    Header header{progress.step, progress.position, progress.reached_s, progress.elapsed_s, progress.wall_s, 0, 0};
    header.lanes = static_cast<std::int64_t>(progress.lanes.size());
    for (std::span<float> buffer : buffers) header.floats += static_cast<std::int64_t>(buffer.size());
    std::vector<std::string_view> body{run_digest, raw(std::span(&header, 1)), raw(std::span(progress.lanes))};
    for (std::span<float> buffer : buffers) body.push_back(raw(buffer));
    Sha256 digest;
    for (std::string_view part : body) digest.update(part);
    const std::string hex = digest.finish_hex();
    body.insert(body.begin(), {kMagic, hex});
    return write_file_atomically(path_in(work_dir), body);
}

std::optional<Checkpoint> Checkpoint::read(const std::string& work_dir, const std::string& run_digest,
                                           const CheckpointShape& shape) {
    const std::size_t within_floats = shape.state_floats + shape.lanes * shape.lane_floats;
    Checkpoint checkpoint;
    checkpoint.bytes_ =
        read_whole(path_in(work_dir), file_bytes(0, shape.state_floats), file_bytes(shape.lanes, within_floats));
    const std::string_view bytes = checkpoint.bytes_;
    if (!bytes.starts_with(kMagic)) return std::nullopt;
    if (bytes.substr(kBodyAt, kDigestDigits) != run_digest) return std::nullopt;
    if (sha256_hex(bytes.substr(kBodyAt)) != bytes.substr(kMagic.size(), kDigestDigits)) return std::nullopt;
    Header header{};
    std::memcpy(&header, bytes.data() + kHeaderAt, sizeof header);
    const bool within = header.lanes != 0;
    if (header.lanes != static_cast<std::int64_t>(within ? shape.lanes : 0)) return std::nullopt;
    if (header.floats != static_cast<std::int64_t>(within ? within_floats : shape.state_floats)) return std::nullopt;
    if (!plausible(header)) return std::nullopt;
    checkpoint.progress_ = {header.step, header.position, header.reached_s, header.elapsed_s, header.wall_s, {}};
    checkpoint.progress_.lanes.resize(static_cast<std::size_t>(header.lanes));
    std::memcpy(checkpoint.progress_.lanes.data(), bytes.data() + kLanesAt,
                checkpoint.progress_.lanes.size() * sizeof(LaneProgress));
    return checkpoint;
}

void Checkpoint::restore(const FloatBuffers& buffers) const {
    const char* from = bytes_.data() + file_bytes(progress_.lanes.size(), 0);
    for (std::span<float> buffer : buffers) {
        std::memcpy(buffer.data(), from, buffer.size_bytes());
        from += buffer.size_bytes();
    }
}

}  // namespace cultivar
