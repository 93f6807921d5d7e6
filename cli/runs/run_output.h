// The kept output of this clone's runs of a pool's command, in <state>/output/<record id>: 64 KiB from the beginning and
// the end of each stream. It stays on this machine. The newest 64 MiB are kept.
#pragma once

#include <string>

#include "cli/session/session.h"
#include "train/launch/trainer_process.h"

namespace cultivar {

// Both streams under a heading each; "" if the program wrote nothing.
std::string output_text(const Outcome& outcome);

// Errors: io.
Result<void> keep_output(const Session& session, const std::string& record_id, const std::string& text);
// The bytes are foreign. Errors: not_found (none is kept), io.
Result<std::string> kept_output(const Session& session, const std::string& record_id);

}  // namespace cultivar
