// Fuzzes folders as artifacts. Whatever is taken for one is what would be written of its files. The first line, cut in words,
// gives paths too, which a fuzzer would never put into headers by chance.
#include <algorithm>

#include "pool/types/artifact_folder.h"
#include "tests/fuzz/input.h"

using namespace cultivar;

namespace {

void unpack(std::string_view bytes) {
    const auto files = unpack_artifact_folder(bytes);
    if (!files) return;
    std::vector<std::pair<std::string, std::string>> copies;
    for (const auto& [path, content] : *files) copies.emplace_back(path, content);
    const auto again = pack_artifact_folder(std::move(copies));
    demand(again && *again == bytes);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes = text_of(data, size);
    unpack(bytes);
    const std::string_view paths = bytes.substr(0, bytes.find('\n'));
    std::vector<std::pair<std::string, std::string>> files;
    for (std::size_t begin = 0; begin <= paths.size();) {
        const std::size_t end = std::min(paths.find(' ', begin), paths.size());
        files.emplace_back(paths.substr(begin, end - begin), bytes.substr(end));
        begin = end + 1;
    }
    std::ranges::sort(files);
    files.erase(std::unique(files.begin(), files.end()), files.end());
    auto packed = pack_artifact_folder(std::move(files));
    if (!packed) return 0;
    unpack(*packed);
    if (size > 0) (*packed)[data[0] * 131U % packed->size()] ^= 1;
    unpack(*packed);
    return 0;
}
