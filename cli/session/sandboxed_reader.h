// What came from others is read by a copy of this program in a sandbox of its own: foreign git objects, records,
// candidates, signatures and verdicts. It may read this repository, and change nothing but the index, the last seen tips
// and the refs that follow others; no network, no other program, 4 GiB of memory, an hour of time. What it found comes
// back as JSON. If it crashes or runs into a limit, the command fails, and what was there before stays.
//
// `fsck`, and a hosting's `hook update`, have nothing else to do and enter such a sandbox themselves.
//
// Any other process reads again only what such a copy has read to its end: a candidate that is crossed, a record that is shown.
// It reads pool.toml itself, at most 1 MiB of TOML that the pool's maintainers wrote, and unpacks git's compression of an
// artifact, whose size is checked first; the artifact itself is unpacked by the worker, in the worker's sandbox.
#pragma once

#include <functional>
#include <string>

#include "pool/index/index.h"

namespace cultivar {

// `clone` must outlive it; `interrupted` is asked while it waits. It fails with io where that copy cannot be started or
// ends badly.
Reader reader_apart(std::function<bool()> interrupted, const Clone& clone);

// What `cultivar index refresh --json` prints for a reader.
std::string report_json(const Result<RefreshReport>& report);

// This process itself, from now on and for good: it may read this repository, and with a clone's write what a reader
// writes. Errors: io.
Result<void> enter_reading_sandbox(const Repo& repo);
Result<void> enter_reading_sandbox(const Clone& clone);

}  // namespace cultivar
