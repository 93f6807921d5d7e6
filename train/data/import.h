// Bringing text in: from people's files to the shards, byte table and tokenizer in a data folder.
//
//   train_000000.bin ...  10^8 tokens each      val_slice.bin, val_full.bin   the validation part
//   tokens.bytes          the byte table        tokenizer.model               SentencePiece only
// Each file appears whole or not at all; files of the same name are replaced. A stopped import is simply run again.
// Holds the text and its tokens in memory: 40 MB of text take 300 MB and, on two cores, 11 s.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pool/util/result.h"
#include "train/data/data_manifest.h"

namespace cultivar {

struct ImportRequest {
    std::vector<std::string> sources;  // paths of text, .gz or .dz files
    std::string separator;             // between documents; "": blank lines
    std::int64_t slice_bytes = 256 * 1024;
    std::int64_t full_bytes = 4 * 1024 * 1024;
    TokenizerKind tokenizer = TokenizerKind::sentencepiece;
};

// Called now and then on the caller's thread: what is being done, and how much of it is (0 to 1).
using ImportProgress = std::function<void(const std::string& phase, double fraction)>;

// A first import: trains the tokenizer. Creates the folder. Errors: usage, not_found, io, corrupt.
Result<DataManifest> import_text(const ImportRequest& request, const std::string& folder,
                                 const ImportProgress& progress = {});

// The same import on another machine: settings from `expected`, tokenizer from the bytes of its .model file (empty for
// kind byte). Succeeds only if every file has the expected digest; otherwise the error names the source file that
// differs, is missing or is one too many. Errors: as above; corrupt when equal sources gave other files.
Result<DataManifest> import_text_again(const std::vector<std::string>& sources, const DataManifest& expected,
                                       const std::string& model, const std::string& folder,
                                       const ImportProgress& progress = {});

// Parameter Golf data as it is: `shards` holds fineweb_train_*.bin and fineweb_val_*.bin, `model_path` names the
// tokenizer's .model. Training shards stay where they are and are linked to; the validation shards, joined, become
// val_full, and its first whole documents of at least `slice_bytes` become val_slice. On another machine, compare with
// require_same(). Errors: as above.
Result<DataManifest> import_shards(const std::string& shards, const std::string& model_path, std::int64_t slice_bytes,
                                   const std::string& folder, const ImportProgress& progress = {});

}  // namespace cultivar
