#include "train/lm/checkpoint.h"

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "pool/digest.h"
#include "pool/file.h"

namespace cultivar {
namespace {

constexpr std::string_view kMagic = "CVLMCKP1";
constexpr std::size_t kDigestDigits = 64;

struct Header {
    std::int64_t step, position;
    double elapsed_s;
    std::int64_t parameters;
};

constexpr std::size_t kBodyAt = kMagic.size() + kDigestDigits;
constexpr std::size_t kHeaderAt = kBodyAt + kDigestDigits;
constexpr std::size_t kFloatsAt = kHeaderAt + sizeof(Header);

std::string path_in(const std::string& work_dir) { return work_dir + "/checkpoint.bin"; }

std::string_view raw(std::span<const float> floats) {
    return {reinterpret_cast<const char*>(floats.data()), floats.size_bytes()};
}

std::string read_whole(const std::string& path, std::size_t size_bytes) {
    std::error_code error;
    if (std::filesystem::file_size(path, error) != size_bytes || error) return {};
    std::string bytes(size_bytes, '\0');
    std::ifstream file(path, std::ios::binary);
    if (!file.read(bytes.data(), static_cast<std::streamsize>(size_bytes))) return {};
    return bytes;
}

}  // namespace

Result<void> write_checkpoint(const std::string& work_dir, const std::string& specification_digest,
                              const Progress& progress, const StateView& state) {
    const Header header{progress.step, progress.position, progress.elapsed_s,
                        static_cast<std::int64_t>(state.values.size())};
    const std::string_view header_bytes{reinterpret_cast<const char*>(&header), sizeof header};
    const auto floats = {raw(state.values), raw(state.first_moments), raw(state.second_moments)};
    Sha256 digest;
    digest.update(specification_digest);
    digest.update(header_bytes);
    for (std::string_view part : floats) digest.update(part);
    return write_file_atomically(path_in(work_dir),
                                 {kMagic, digest.finish_hex(), specification_digest, header_bytes, raw(state.values),
                                  raw(state.first_moments), raw(state.second_moments)});
}

std::optional<Checkpoint> Checkpoint::read(const std::string& work_dir, const std::string& specification_digest,
                                           std::int64_t parameters) {
    const std::size_t floats = 3 * static_cast<std::size_t>(parameters);
    Checkpoint checkpoint;
    checkpoint.bytes_ = read_whole(path_in(work_dir), kFloatsAt + floats * sizeof(float));
    const std::string_view bytes = checkpoint.bytes_;
    if (!bytes.starts_with(kMagic)) return std::nullopt;
    if (bytes.substr(kBodyAt, kDigestDigits) != specification_digest) return std::nullopt;
    if (sha256_hex(bytes.substr(kBodyAt)) != bytes.substr(kMagic.size(), kDigestDigits)) return std::nullopt;
    Header header{};
    std::memcpy(&header, bytes.data() + kHeaderAt, sizeof header);
    if (header.parameters != parameters || header.step < 0 || header.position < 0) return std::nullopt;
    if (!std::isfinite(header.elapsed_s) || header.elapsed_s < 0) return std::nullopt;
    checkpoint.progress_ = {header.step, header.position, header.elapsed_s};
    return checkpoint;
}

void Checkpoint::restore(const StateView& state) const {
    const char* from = bytes_.data() + kFloatsAt;
    for (std::span<float> target : {state.values, state.first_moments, state.second_moments}) {
        std::memcpy(target.data(), from, target.size_bytes());
        from += target.size_bytes();
    }
}

}  // namespace cultivar
