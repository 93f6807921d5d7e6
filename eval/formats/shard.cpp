#include "eval/formats/shard.h"

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "pool/util/file.h"

namespace cultivar {
namespace {

static_assert(std::endian::native == std::endian::little, "shards are mapped, not decoded");

constexpr std::int32_t kShardMagic = 20240520;
constexpr std::int32_t kShardVersion = 1;
constexpr std::size_t kShardHeaderBytes = 1024;
constexpr std::string_view kTableMagic = "CVBYTES1";
constexpr std::size_t kTableHeaderBytes = 12;
constexpr std::size_t kTableEntryBytes = 4;
constexpr std::uint32_t kMaxVocabulary = 65536;

using Header = std::array<std::int32_t, kShardHeaderBytes / sizeof(std::int32_t)>;

std::string_view as_bytes(const void* data, std::size_t size_bytes) {
    return {static_cast<const char*>(data), size_bytes};
}

// A whole file mapped read-only.
struct MappedFile {
    void* data = nullptr;
    std::size_t size_bytes = 0;

    MappedFile() = default;
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile() {
        if (data) ::munmap(data, size_bytes);
    }
    std::string_view bytes() const { return as_bytes(data, size_bytes); }
};

Result<void> map_file(const std::string& path, MappedFile& file) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return fail(errno == ENOENT ? Code::not_found : Code::io,
                    fmt::format("cannot open '{}': {}", path, std::strerror(errno)));
    }
    struct stat facts {};
    const bool regular = ::fstat(descriptor, &facts) == 0 && S_ISREG(facts.st_mode);
    void* mapped = nullptr;
    if (regular && facts.st_size > 0) {
        mapped = ::mmap(nullptr, static_cast<std::size_t>(facts.st_size), PROT_READ, MAP_SHARED, descriptor, 0);
    }
    const int reason = errno;
    ::close(descriptor);
    if (!regular) return fail(Code::io, fmt::format("cannot read '{}': not a regular file", path));
    if (mapped == MAP_FAILED) return fail(Code::io, fmt::format("cannot map '{}': {}", path, std::strerror(reason)));
    file.data = mapped;
    file.size_bytes = static_cast<std::size_t>(facts.st_size);
    return {};
}

}  // namespace

struct Shard::Mapping : MappedFile {};

Result<Shard> Shard::open(const std::string& path) {
    auto mapping = std::make_shared<Mapping>();
    TRY(map_file(path, *mapping));
    if (mapping->size_bytes < kShardHeaderBytes) {
        return fail(Code::corrupt, fmt::format("'{}' is not a token shard: {} bytes are fewer than its header", path,
                                               mapping->size_bytes));
    }
    Header header;
    std::memcpy(header.data(), mapping->data, kShardHeaderBytes);
    if (header[0] != kShardMagic) {
        return fail(Code::corrupt, fmt::format("'{}' is not a token shard: its magic number is {}", path, header[0]));
    }
    if (header[1] != kShardVersion) {
        return fail(Code::corrupt, fmt::format("'{}' is a token shard of unknown version {}", path, header[1]));
    }
    const std::int64_t expected_bytes = std::int64_t{kShardHeaderBytes} + 2 * std::int64_t{header[2]};
    if (header[2] < 0 || static_cast<std::int64_t>(mapping->size_bytes) != expected_bytes) {
        return fail(Code::corrupt, fmt::format("'{}' has {} bytes, but its header says {} tokens", path,
                                               mapping->size_bytes, header[2]));
    }
    Shard shard;
    shard.mapping_ = std::move(mapping);
    return shard;
}

std::span<const std::uint16_t> Shard::tokens() const {
    const auto* first = static_cast<const char*>(mapping_->data) + kShardHeaderBytes;
    return {reinterpret_cast<const std::uint16_t*>(first), (mapping_->size_bytes - kShardHeaderBytes) / 2};
}

Result<void> write_shard(const std::string& path, std::span<const std::uint16_t> tokens) {
    if (tokens.size() > static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
        return fail(Code::usage, fmt::format("cannot write '{}': {} tokens do not fit one shard", path, tokens.size()));
    }
    Header header{};
    header[0] = kShardMagic;
    header[1] = kShardVersion;
    header[2] = static_cast<std::int32_t>(tokens.size());
    return write_file_atomically(
        path, {as_bytes(header.data(), kShardHeaderBytes), as_bytes(tokens.data(), tokens.size_bytes())});
}

Result<void> write_byte_table(const std::string& path, const ByteTable& table) {
    if (table.size() > kMaxVocabulary) {
        return fail(Code::usage,
                    fmt::format("cannot write '{}': {} token ids are over {}", path, table.size(), kMaxVocabulary));
    }
    std::string bytes(kTableMagic);
    const auto count = static_cast<std::uint32_t>(table.size());
    bytes.append(as_bytes(&count, sizeof count));
    for (const TokenBytes& token : table) {
        bytes.append(as_bytes(&token.base_bytes, sizeof token.base_bytes));
        bytes.push_back(token.lead ? 1 : 0);
        bytes.push_back(token.boundary ? 1 : 0);
    }
    return write_file_atomically(path, bytes);
}

Result<ByteTable> read_byte_table(const std::string& path) {
    MappedFile file;
    TRY(map_file(path, file));
    const std::string_view bytes = file.bytes();
    if (bytes.size() < kTableHeaderBytes || !bytes.starts_with(kTableMagic)) {
        return fail(Code::corrupt, fmt::format("'{}' is not a byte table", path));
    }
    std::uint32_t count = 0;
    std::memcpy(&count, bytes.data() + kTableMagic.size(), sizeof count);
    if (count > kMaxVocabulary || bytes.size() != kTableHeaderBytes + count * kTableEntryBytes) {
        return fail(Code::corrupt,
                    fmt::format("'{}' has {} bytes, but its header says {} token ids", path, bytes.size(), count));
    }
    ByteTable table(count);
    for (std::uint32_t id = 0; id < count; ++id) {
        const char* entry = bytes.data() + kTableHeaderBytes + id * kTableEntryBytes;
        if ((entry[2] | entry[3]) & ~1) {
            return fail(Code::corrupt, fmt::format("'{}' has a flag that is neither 0 nor 1 at token {}", path, id));
        }
        std::memcpy(&table[id].base_bytes, entry, sizeof(std::uint16_t));
        table[id].lead = entry[2] != 0;
        table[id].boundary = entry[3] != 0;
    }
    return table;
}

}  // namespace cultivar
