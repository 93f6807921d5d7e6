// A copy of this program in a sandbox of its own reads everything that came from others: git objects, records,
// candidates, signatures and verdicts. It may read this repository, and change only the index, the last seen tips and
// the refs that follow others; it has no network, no other program, 4 GiB of memory and an hour of time. It answers in
// JSON. If it crashes or exceeds a limit, the command fails, and the index stays as it was.
//
// `fsck` and a hosting's `hook update` do nothing else and enter such a sandbox themselves.
//
// Any other process reads again only data that such a copy has read to its end, e.g. a candidate that is crossed or a
// record that is shown. It reads pool.toml itself, at most 1 MiB of TOML that the pool's maintainers wrote, and undoes
// git's compression of an artifact after a check of its size; the worker unpacks the artifact itself, in its sandbox.
#pragma once

#include <functional>
#include <string>

#include "pool/index/index.h"

namespace cultivar {

// `clone` must outlive it; `interrupted` is asked while it waits. It fails with io where that copy cannot be started or
// ends badly.
Reader reader_apart(std::function<bool()> interrupted, const Clone& clone);

// The JSON that `cultivar index refresh --json` prints for the process that started it.
std::string report_json(const Result<RefreshReport>& report);

// Puts this process itself into such a sandbox, for good. It may read this repository; with a clone, it may also write
// the files that a reader writes. Errors: io.
Result<void> enter_reading_sandbox(const Repo& repo);
Result<void> enter_reading_sandbox(const Clone& clone);

}  // namespace cultivar
