#include "benchmarks/synthetic/pack_writer.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zlib.h>

#include "benchmarks/synthetic/measured.h"

namespace cultivar {
namespace {

constexpr int kBlob = 3, kOffsetDelta = 6;
constexpr std::size_t kMaxInsert = 127, kMaxCopy = 0xffffff;
constexpr std::size_t kSha1Bytes = 20, kPiece = 1 << 20;

class Sha1 {
public:
    Sha1() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) { EVP_DigestInit_ex(context_.get(), EVP_sha1(), nullptr); }
    void update(std::string_view bytes) { EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()); }
    std::string finish() {
        std::string raw(kSha1Bytes, '\0');
        EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(raw.data()), nullptr);
        return raw;
    }

private:
    std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

std::string hex(std::string_view raw) {
    std::string text;
    for (char c : raw) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
}

std::string big_endian(std::uint32_t value) {
    std::string out;
    for (int shift : {24, 16, 8, 0}) out.push_back(static_cast<char>((value >> shift) & 255));
    return out;
}

std::string header_of(std::uint32_t count) { return "PACK" + big_endian(2) + big_endian(count); }

// Encodes seven bits per byte, lowest first.
std::string size_text(std::size_t size) {
    std::string out;
    for (; size >= 128; size >>= 7) out.push_back(static_cast<char>(128 | (size & 127)));
    out.push_back(static_cast<char>(size));
    return out;
}

std::string entry_header(int type, std::size_t size) {
    char first = static_cast<char>((type << 4) | static_cast<int>(size & 15));
    if (size < 16) return {first};
    return static_cast<char>(first | '\x80') + size_text(size >> 4);
}

// Encodes the distance back to the base: seven bits per byte, highest first, each but the last one less than it says.
std::string offset_text(std::uint64_t distance) {
    std::string out(1, static_cast<char>(distance & 127));
    while (distance >>= 7) out.insert(out.begin(), static_cast<char>(128 | (--distance & 127)));
    return out;
}

// A delta that copies all of the base and appends the added bytes.
std::string growth(std::size_t base_bytes, std::string_view bytes) {
    std::string delta = size_text(base_bytes) + size_text(bytes.size());
    for (std::size_t at = 0; at < base_bytes; at += kMaxCopy) {
        const std::size_t take = std::min(kMaxCopy, base_bytes - at);
        delta.push_back('\xff');  // four bytes of offset, three of size
        for (int shift : {0, 8, 16, 24}) delta.push_back(static_cast<char>((at >> shift) & 255));
        for (int shift : {0, 8, 16}) delta.push_back(static_cast<char>((take >> shift) & 255));
    }
    for (std::size_t at = base_bytes; at < bytes.size(); at += kMaxInsert) {
        const std::string_view piece = bytes.substr(at, kMaxInsert);
        delta.push_back(static_cast<char>(piece.size()));
        delta.append(piece);
    }
    return delta;
}

}  // namespace

Result<PackWriter> PackWriter::create(const std::string& git_dir) {
    PackWriter writer;
    writer.folder_ = git_dir + "/objects/pack/";
    writer.path_ = writer.folder_ + "tmp_pack_journals";
    writer.file_.open(writer.path_, std::ios::in | std::ios::out | std::ios::binary | std::ios::trunc);
    const std::string header = header_of(0);
    writer.file_ << header;
    writer.offset_ = header.size();
    if (!writer.file_) return fail(Code::io, fmt::format("cannot write '{}'", writer.path_));
    return writer;
}

Result<void> PackWriter::write_entry(int type, std::size_t size_bytes, std::string_view base_offset,
                                     std::string_view data) {
    std::vector<unsigned char> packed(compressBound(data.size()));
    uLongf packed_bytes = packed.size();
    compress2(packed.data(), &packed_bytes, reinterpret_cast<const unsigned char*>(data.data()), data.size(),
              Z_BEST_SPEED);
    std::string entry = entry_header(type, size_bytes);
    entry.append(base_offset).append(reinterpret_cast<const char*>(packed.data()), packed_bytes);
    file_ << entry;
    offset_ += entry.size();
    ++count_;
    return file_ ? Result<void>() : fail(Code::io, fmt::format("cannot write '{}'", path_));
}

Result<PackWriter::Stored> PackWriter::add(std::string_view bytes, const std::optional<Stored>& before) {
    Sha1 hash;
    hash.update(fmt::format("blob {}", bytes.size()) + '\0');
    hash.update(bytes);
    const Stored stored{hex(hash.finish()), offset_, bytes.size()};
    if (before) {
        const std::string delta = growth(before->size_bytes, bytes);
        TRY(write_entry(kOffsetDelta, delta.size(), offset_text(offset_ - before->offset), delta));
    } else {
        TRY(write_entry(kBlob, bytes.size(), "", bytes));
    }
    return stored;
}

Result<void> PackWriter::finish() {
    file_.seekp(0);
    file_ << header_of(count_) << std::flush;
    file_.seekg(0);
    Sha1 hash;
    std::string piece(kPiece, '\0');
    while (file_.read(piece.data(), kPiece), file_.gcount() > 0)
        hash.update({piece.data(), static_cast<std::size_t>(file_.gcount())});
    file_.clear();
    file_.seekp(0, std::ios::end);
    const std::string name = hash.finish();
    file_ << name;
    file_.close();
    if (!file_) return fail(Code::io, fmt::format("cannot write '{}'", path_));
    const std::string named = folder_ + "pack-" + hex(name) + ".pack";  // as git calls packs that it may repack
    std::error_code ec;
    std::filesystem::rename(path_, named, ec);
    if (ec) return fail(Code::io, fmt::format("cannot rename '{}': {}", path_, ec.message()));
    return run_quietly({"git", "index-pack", named});
}

}  // namespace cultivar
